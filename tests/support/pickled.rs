//! A `pytorch_model.bin` written without PyTorch, piece by piece, so that it can be larger than the memory of its
//! reader.

/// Passes the file to `out` in pieces. The tensors are F32, given by name and shape; `numbers` passes the bytes of
/// the tensor with an index.
pub fn write(
    tensors: &[(String, Vec<usize>)],
    numbers: impl FnMut(usize, &mut dyn FnMut(&[u8])),
    out: &mut dyn FnMut(&[u8]),
) {
    write_inside(&[], tensors, numbers, out);
}

/// As [`write`], with the tensors in the innermost of dictionaries with these keys.
pub fn write_inside(
    keys: &[&str],
    tensors: &[(String, Vec<usize>)],
    mut numbers: impl FnMut(usize, &mut dyn FnMut(&[u8])),
    out: &mut dyn FnMut(&[u8]),
) {
    let entry = |name: &str, out: &mut dyn FnMut(&[u8])| {
        let mut header = b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0".to_vec();
        header.extend([0; 12]);
        header.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        header.extend([0; 2]);
        header.extend(name.as_bytes());
        out(&header);
    };
    let end = |len: usize, out: &mut dyn FnMut(&[u8])| {
        let len = u32::try_from(len).unwrap().to_le_bytes();
        out(&[&b"PK\x07\x08\0\0\0\0"[..], &len, &len].concat());
    };
    let pickle = pickle(keys, tensors);
    entry("archive/data.pkl", out);
    out(&pickle);
    end(pickle.len(), out);
    for (i, (_, shape)) in tensors.iter().enumerate() {
        entry(&format!("archive/data/{i}"), out);
        numbers(i, out);
        end(4 * shape.iter().product::<usize>(), out);
    }
    entry("archive/version", out);
    out(b"3\n");
    end(2, out);
    out(b"PK\x05\x06");
    out(&[0; 18]);
}

/// `{name: tensor}`, inside of dictionaries with these keys, in protocol 2.
fn pickle(keys: &[&str], tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let text = |text: &str| {
        let len = u32::try_from(text.len()).unwrap().to_le_bytes();
        [b"X", &len[..], text.as_bytes()].concat()
    };
    let int = |n: usize| [b"J", &i32::try_from(n).unwrap().to_le_bytes()[..]].concat();
    let tuple = |items: &[usize]| {
        let items: Vec<u8> = items.iter().flat_map(|n| int(*n)).collect();
        [b"(", &items[..], b"t"].concat()
    };
    let mut pickle = b"\x80\x02".to_vec();
    for key in keys {
        pickle.extend(b"}");
        pickle.extend(text(key));
    }
    pickle.extend(b"}(");
    for (i, (name, shape)) in tensors.iter().enumerate() {
        let strides: Vec<usize> = (0..shape.len())
            .map(|dim| shape[dim + 1..].iter().product())
            .collect();
        pickle.extend(text(name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend(text("storage"));
        pickle.extend(b"ctorch\nFloatStorage\n");
        pickle.extend(text(&i.to_string()));
        pickle.extend(text("cpu"));
        pickle.extend(int(shape.iter().product()));
        pickle.extend(b"tQ");
        pickle.extend(int(0));
        pickle.extend(tuple(shape));
        pickle.extend(tuple(&strides));
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u");
    pickle.extend(b"s".repeat(keys.len()));
    pickle.extend(b".");
    pickle
}

/// Names and contents of the entries of a file that [`write`] has written, in its order.
pub fn entries(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut rest = file;
    while let Some(header) = rest.strip_prefix(b"PK\x03\x04") {
        let name_len = usize::from(header[22]);
        let (name, content) = header[26..].split_at(name_len);
        let is_end = |at: &usize| {
            let len = u32::try_from(*at).unwrap().to_le_bytes();
            content[*at..].starts_with(&[&b"PK\x07\x08\0\0\0\0"[..], &len, &len].concat())
        };
        let end = (0..content.len()).find(is_end).unwrap();
        let name = String::from_utf8(name.to_vec()).unwrap();
        entries.push((name, content[..end].to_vec()));
        rest = &content[end + 16..];
    }
    entries
}

/// An archive of stored entries as other programs pack it: sizes before each, and a directory, with offsets of 64 bits
/// if `is_wide`.
pub fn packed(entries: &[&(String, Vec<u8>)], is_wide: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
        let offset = u32::try_from(file.len()).unwrap();
        file.extend(
            [
                &b"PK\x03\x04"[..],
                &[0; 14],
                &size,
                &size,
                &name_len,
                &[0; 2],
            ]
            .concat(),
        );
        file.extend(name.as_bytes());
        file.extend(content);
        directory.extend([&b"PK\x01\x02"[..], &[0; 16], &size, &size, &name_len].concat());
        if is_wide {
            directory.extend([&[12, 0][..], &[0; 10], &[0xff; 4], name.as_bytes()].concat());
            directory.extend([&[1, 0, 8, 0][..], &u64::from(offset).to_le_bytes()].concat());
        } else {
            directory.extend([&[0; 12][..], &offset.to_le_bytes(), name.as_bytes()].concat());
        }
    }
    let (at, len) = (file.len(), directory.len());
    file.extend(directory);
    if is_wide {
        let end = u64::try_from(file.len()).unwrap().to_le_bytes();
        let [at, len] = [at, len].map(|n| u64::try_from(n).unwrap().to_le_bytes());
        file.extend([&b"PK\x06\x06"[..], &[0; 36], &len, &at].concat());
        file.extend([&b"PK\x06\x07"[..], &[0; 4], &end, &[0; 4]].concat());
        file.extend([&b"PK\x05\x06"[..], &[0; 8], &[0xff; 8], &[0; 2]].concat());
    } else {
        let [at, len] = [at, len].map(|n| u32::try_from(n).unwrap().to_le_bytes());
        file.extend([&b"PK\x05\x06"[..], &[0; 8], &len, &at, &[0; 2]].concat());
    }
    file
}
