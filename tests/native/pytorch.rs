//! PyTorch's files are read without running anything: every form gives the same weights, and a file without weights is
//! refused by name.

use std::io::Cursor;
use std::path::PathBuf;

use crate::support::checkpoints::{assert_same_weights, fixtures, json, load};
use huggingtweets::file_kind::FileKind;
use huggingtweets::hub::ShardIndex;
use huggingtweets::kernels::pack::WeightType;
use huggingtweets::weights::dtype::StoredType;
use huggingtweets::weights::{Checkpoint, ReadSeek, WeightsError};

fn folder() -> PathBuf {
    fixtures().join("pytorch")
}

fn read(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap()
}

fn open_with(config: &[u8], files: Vec<Vec<u8>>) -> Result<Checkpoint, WeightsError> {
    let files = files.into_iter();
    let files = files.map(|file| Box::new(Cursor::new(file)) as Box<dyn ReadSeek>);
    Checkpoint::from_floats(config, files.collect())
}

fn open(files: Vec<Vec<u8>>) -> Result<Checkpoint, WeightsError> {
    open_with(&read("config.json"), files)
}

fn refused(file: Vec<u8>) -> WeightsError {
    match open(vec![file]) {
        Err(error) => error,
        Ok(_) => panic!("opened"),
    }
}

fn safetensors(file: &str) -> Checkpoint {
    Checkpoint::from_floats(
        &read("config.json"),
        vec![Box::new(Cursor::new(read(file)))],
    )
    .unwrap()
}

#[track_caller]
fn assert_same(mut got: Checkpoint, mut expected: Checkpoint) {
    let specs = expected.tensors();
    assert_eq!(specs.len(), 2 + 2 * 12 + 2);
    assert_eq!(got.tensors(), specs);
    for (spec, _) in specs {
        let name = &spec.name;
        assert_eq!(
            got.floats(name).unwrap(),
            expected.floats(name).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn every_form_that_pytorch_writes_gives_the_same_weights() {
    for (file, oracle) in [
        ("tied.bin", "model.safetensors"),
        ("archive.bin", "model.safetensors"),
        ("stored_again.bin", "model.safetensors"),
        ("parameters.bin", "model.safetensors"),
        ("marked.bin", "model.safetensors"),
        ("marked_legacy.bin", "model.safetensors"),
        ("protocol_4.bin", "model.safetensors"),
        ("views.bin", "model.safetensors"),
        // https://github.com/safetensors/safetensors/issues/469
        ("strides.bin", "model.safetensors"),
        ("odd_strides.bin", "model.safetensors"),
        ("legacy.bin", "model.safetensors"),
        ("training.bin", "model.safetensors"),
        ("training_legacy.bin", "model.safetensors"),
        ("f16.bin", "f16.safetensors"),
        ("bf16.bin", "bf16.safetensors"),
    ] {
        eprintln!("{file}");
        assert_same(open(vec![read(file)]).unwrap(), safetensors(oracle));
    }
    let index = ShardIndex::from_json("shards.index.json", &read("shards.index.json")).unwrap();
    assert_eq!(index.files, ["shard-1.bin", "shard-2.bin"]);
    let files = index.files.iter().map(|shard| read(shard)).collect();
    assert_same(open(files).unwrap(), safetensors("model.safetensors"));
}

#[test]
fn floats_of_64_bits_are_rounded_to_32() {
    let mut doubles = open(vec![read("double.bin")]).unwrap();
    assert!(
        doubles
            .tensors()
            .iter()
            .all(|(_, dtype)| *dtype == StoredType::F64)
    );
    assert_same_weights(&mut safetensors("model.safetensors"), &mut doubles);
    let model = load(doubles).unwrap();
    assert_eq!(model.dtype(), WeightType::F32);
}

#[test]
fn a_head_that_is_the_embedding_itself_counts_where_the_configuration_unties_it() {
    let mut config = json(&folder().join("config.json"));
    config["tie_word_embeddings"] = false.into();
    let mut untied = open_with(config.to_string().as_bytes(), vec![read("tied.bin")]).unwrap();
    let (head, embedding) = (untied.floats("lm_head.weight"), untied.floats("wte.weight"));
    assert_eq!(head.unwrap(), embedding.unwrap());
    let refused = open_with(config.to_string().as_bytes(), vec![read("views.bin")]);
    assert!(
        matches!(refused, Err(WeightsError::MissingTensor { name }) if name == "lm_head.weight")
    );
}

#[test]
fn what_saving_can_do_to_weights_is_refused_by_name() {
    assert!(matches!(
        refused(read("refused_overlap.bin")),
        WeightsError::SharedNumbers { name, other } if name == "wte.weight" && other == "wpe.weight"
    ));
    assert!(matches!(
        refused(read("refused_global.bin")),
        WeightsError::ForbiddenGlobal { name } if name == "torch.optim.sgd.SGD"
    ));
    assert!(matches!(
        refused(read("refused_compressed.bin")),
        WeightsError::Compressed { name } if name == "double/data.pkl"
    ));
    assert!(matches!(
        refused(read("refused_negative.bin")),
        WeightsError::NegativeView
    ));
    assert!(matches!(
        refused(read("refused_two.bin")),
        WeightsError::SeveralModels
    ));
    for shard in ["shard-1.bin", "shard-2.bin"] {
        assert!(matches!(
            refused(read(shard)),
            WeightsError::MissingTensor { .. }
        ));
    }
    let twice = open(vec![read("tied.bin"), read("shard-1.bin")]);
    assert!(matches!(twice, Err(WeightsError::RepeatedTensor { .. })));
}

#[test]
fn files_that_hold_no_weights_are_named() {
    let kind = |bytes: &[u8]| match refused(bytes.to_vec()) {
        WeightsError::NotWeights { found } => found,
        other => panic!("{other}"),
    };
    assert_eq!(kind(b"\x80\x04]\x94."), FileKind::Pickle);
    assert_eq!(
        kind(&[&b"\x80\x04]\x94."[..], &[0; 600]].concat()),
        FileKind::Pickle
    );
    let mut tar = vec![0; 1024];
    tar[..8].copy_from_slice(b"sys_info");
    tar[257..263].copy_from_slice(b"ustar\0");
    assert_eq!(kind(&tar), FileKind::Tar);
    assert_eq!(kind(b""), FileKind::Empty);
    assert_eq!(kind(b"<!doctype html>"), FileKind::Html);
    assert_eq!(
        kind(b"version https://git-lfs.github.com/spec/v1"),
        FileKind::LfsPointer
    );
    assert_eq!(kind(b"GGUF\x03\0\0\0"), FileKind::Gguf);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for file in ["tied.bin", "archive.bin", "stored_again.bin", "legacy.bin"] {
        let whole = read(file);
        for len in (15..whole.len()).step_by(7).chain([whole.len() - 1]) {
            let error = refused(whole[..len].to_vec());
            assert!(
                matches!(error, WeightsError::Truncated { got, expected } if got == len as u64 && expected > got),
                "{file} cut at {len}: {error:?}"
            );
        }
    }
}

/// A zip of stored entries as PyTorch writes it: sizes behind each, none before.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    for (name, content) in entries {
        file.extend(b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0");
        file.extend([0; 12]);
        file.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        file.extend([0; 2]);
        file.extend(name.as_bytes());
        file.extend_from_slice(content);
        file.extend(b"PK\x07\x08\0\0\0\0");
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        file.extend([size, size].concat());
    }
    file.extend(b"PK\x05\x06");
    file.extend([0; 18]);
    file
}

fn pickled(pickle: &[u8]) -> WeightsError {
    refused(archive(&[("archive/data.pkl", pickle)]))
}

#[test]
fn a_pickle_that_names_anything_else_is_refused_by_that_name() {
    for (pickle, expected) in [
        (&b"\x80\x02cposix\nsystem\nq\x00X\x02\0\0\0lsq\x01\x85q\x02Rq\x03."[..], "posix.system"),
        // Protocol 4, as `pickle.dumps` writes it.
        (b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x94\x85\x94R\x94.", "posix.system"),
        // Protocols 0 and 1.
        (b"cos\nsystem\n(S'ls'\ntR.", "os.system"),
        (b"(S'ls'\nios\nsystem\n.", ""),
        (b"(ios\nsystem\n.", "os.system"),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n.", "torch._utils._rebuild_sparse_tensor"),
        (b"\x80\x02ctorch\nQInt8Storage\n.", "torch.QInt8Storage"),
        (b"\x80\x02ctorch\nload\n.", "torch.load"),
        (b"\x80\x02ccollections\nChainMap\n.", "collections.ChainMap"),
        (b"\x80\x02cnumpy\nload\n.", "numpy.load"),
        (b"\x80\x02cnumpy.core.multiarray\nfromfile\n.", "numpy.core.multiarray.fromfile"),
        (b"\x80\x02c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        (b"\x80\x02c__builtin__\n\x1b[2Jx\n.", "__builtin__.[2Jx"),
    ] {
        match (pickled(pickle), expected) {
            (WeightsError::ForbiddenGlobal { name }, expected) => assert_eq!(name, expected),
            // Its argument is of a kind that is refused before the name.
            (WeightsError::Malformed { .. }, "") => {}
            (other, _) => panic!("{expected}: {other}"),
        }
    }
}

/// The state of a training holds values of numpy, `argparse`, `pathlib` and `collections`, as torch 2 writes them.
#[test]
fn plain_values_beside_the_weights_are_passed_over() {
    // Tensors that nobody needs: their names are not GPT-2's.
    let tensor = |class: &str, rebuild: &str, more: &str| {
        let text = |text: &str| {
            let len = u8::try_from(text.len()).unwrap();
            [b"X", &[len, 0, 0, 0][..], text.as_bytes()].concat()
        };
        [
            format!("ctorch._utils\n{rebuild}\n((").into_bytes(),
            text("storage"),
            format!("c{class}\n").into_bytes(),
            text("0"),
            text("cpu"),
            b"K\x03tQK\x00K\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)R".to_vec(),
            format!("{more}tR").into_bytes(),
        ]
        .concat()
    };
    for value in [
        // numpy.float64(3.2)
        b"cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8\x89\x88\x87R(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xff\
          J\xff\xff\xff\xffK\x00tbc_codecs\nencode\nX\x01\0\0\0@X\x06\0\0\0latin1\x86R\x86R"
            .to_vec(),
        // argparse.Namespace(lr=1)
        b"cargparse\nNamespace\n)\x81}X\x02\0\0\0lrK\x01sb".to_vec(),
        // pathlib.PurePosixPath("/x")
        b"cpathlib\nPurePosixPath\nX\x01\0\0\0/X\x01\0\0\0x\x86R".to_vec(),
        // collections.defaultdict(dict, {1: 2})
        b"ccollections\ndefaultdict\nc__builtin__\ndict\n\x85RK\x01K\x02s".to_vec(),
        // A number of 128 bits, bytes, and a set.
        [&b"\x8a\x10"[..], &[1; 16]].concat(),
        b"C\x02ab".to_vec(),
        b"\x8f(K\x01\x90".to_vec(),
        tensor("torch.storage\nUntypedStorage", "_rebuild_tensor_v3", "ctorch\nfloat8_e4m3fn\n"),
        tensor("torch.storage\nUntypedStorage", "_rebuild_tensor_v3", "ctorch\nuint16\n"),
        tensor("torch\nComplexFloatStorage", "_rebuild_tensor_v2", ""),
    ] {
        let pickle = [&b"\x80\x04}X\x01\0\0\0a"[..], &value, b"s."].concat();
        let refused = pickled(&pickle);
        assert!(
            matches!(&refused, WeightsError::MissingTensor { name } if name == "wte.weight"),
            "{refused:?}: {}",
            value.escape_ascii()
        );
    }
}

/// `{name: tensor}` inside of dictionaries with these keys.
fn inside(keys: &[&str], names: impl Fn(&str) -> Vec<String>) -> Vec<u8> {
    let weights = safetensors("model.safetensors");
    let mut weights = weights;
    let mut tensors = Vec::new();
    let mut numbers = Vec::new();
    for (spec, _) in weights.tensors() {
        let values = weights.floats(&spec.name).unwrap();
        let (rows, cols) = (spec.rows, spec.cols);
        let is_map = spec.role.is_transposed_in_hugging_face();
        let stored: Vec<f32> = match is_map {
            true => (0..rows * cols)
                .map(|i| values[i % rows * cols + i / rows])
                .collect(),
            false => values,
        };
        let shape = spec.hugging_face_shape();
        for name in names(&spec.name) {
            tensors.push((
                name,
                shape.iter().map(|n| usize::try_from(*n).unwrap()).collect(),
            ));
            numbers.push(
                stored
                    .iter()
                    .flat_map(|x| x.to_le_bytes())
                    .collect::<Vec<u8>>(),
            );
        }
    }
    let mut file = Vec::new();
    crate::support::pickled::write_inside(
        keys,
        &tensors,
        |i, out| out(&numbers[i]),
        &mut |bytes| file.extend_from_slice(bytes),
    );
    file
}

#[test]
fn weights_are_found_inside_of_the_state_of_a_training() {
    let plain = |name: &str| vec![format!("transformer.{name}")];
    for keys in [&[][..], &["model"], &["state", "model"], &["a", "b", "c"]] {
        assert_same(
            open(vec![inside(keys, plain)]).unwrap(),
            safetensors("model.safetensors"),
        );
    }
}

#[test]
fn a_tensor_under_several_names_counts_under_the_one_that_transformers_takes() {
    let twice = |name: &str| {
        vec![
            format!("module.transformer.{name}"),
            name.to_owned(),
            format!("transformer.{name}"),
        ]
    };
    let file = inside(&[], twice);
    let opened = open(vec![file]).unwrap();
    assert_eq!(opened.notices().len(), 1);
    assert!(opened.notices()[0].to_string().contains("twice"));
    assert_same(opened, safetensors("model.safetensors"));
}

#[test]
fn hostile_pickles_are_refused() {
    let malformed = |pickle: &[u8]| {
        let error = pickled(pickle);
        assert!(matches!(error, WeightsError::Malformed { .. }), "{error:?}");
    };
    // Nothing on the stack, or nothing above the mark.
    for code in b"sutR.QqabR\x85\x86\x87\x93\x94" {
        malformed(&[0x80, 2, *code, 0, 0, 0, 0, b'.']);
        malformed(&[0x80, 2, b'N', b'(', *code, 0, 0, 0, 0, b'.']);
    }
    malformed(b"\x80\x02h\x07.");
    malformed(b"\x80\x09N.");
    malformed(b"\x80\x02N.");
    malformed(b"\x80\x02].");
    malformed(b"\x80\x02X\xff\xff\xff\xffa.");
    malformed(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.");
    malformed(b"\x80\x02X\x01\0\0\0\xff.");
    malformed(b"\x80\x02\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01.");
    malformed(b"\x80\x02}(X\x01\0\0\0au.");
    malformed(b"\x80\x02}Nb.\x80");
    malformed(&[b"\x80\x02c".as_slice(), &[b'a'; 5000]].concat());
    // Calls that no weights make.
    malformed(b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.");
    malformed(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.");
    malformed(b"\x80\x02ctorch._utils\n_rebuild_parameter\nN\x85R.");
    malformed(b"\x80\x02NNR.");
    malformed(b"\x80\x02X\x07\0\0\0storageQ.");
    malformed(b"\x80\x02N)b.");
    // A dictionary inside itself is only odd; one that grows by doubling is too much.
    assert!(matches!(
        pickled(b"\x80\x02}q\x00X\x01\0\0\0ah\x00s."),
        WeightsError::MissingTensor { .. }
    ));
    let nested = [&b"\x80\x02)"[..], &b"\x85".repeat(1 << 20), b"."].concat();
    malformed(&nested);
    let doubling: Vec<u8> = (0..200).flat_map(|i| [b'q', i, b'h', i, 0x86]).collect();
    malformed(&[&b"\x80\x02)"[..], &doubling, b"."].concat());
    malformed(&[&b"\x80\x02"[..], &vec![b'}'; 9 << 20]].concat());
}

#[test]
fn legacy_files_that_pytorch_does_not_write_are_refused() {
    let whole = read("legacy.bin");
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        refused(file)
    };
    let find = |text: &[u8]| whole.windows(text.len()).position(|w| w == text).unwrap();
    // Another version.
    assert!(matches!(
        changed(18, b"\xea"),
        WeightsError::Malformed { .. }
    ));
    let endian = find(b"little_endian") + 13;
    assert_eq!(whole[endian..endian + 3], *b"q\x02\x88");
    assert!(matches!(
        changed(endian + 2, b"\x89"),
        WeightsError::BigEndian
    ));
    // The first storage is longer or shorter than its tensor, or of no tensor.
    let keys = whole.windows(4).rposition(|w| w == b"\x80\x02]q").unwrap();
    let numbers = keys + whole[keys..].iter().position(|b| *b == b'.').unwrap() + 1;
    for len in [0_u64, 1, u64::MAX] {
        let error = changed(numbers, &len.to_le_bytes());
        assert!(matches!(error, WeightsError::Malformed { .. }), "{error:?}");
    }
    let error = changed(keys + 2, b"}");
    assert!(matches!(error, WeightsError::Malformed { .. }), "{error:?}");
    let error = changed(keys + 12, b"999");
    assert!(matches!(error, WeightsError::Malformed { .. }), "{error:?}");
    // What follows the last storage is ignored, as by PyTorch.
    let longer = [&whole[..], b"more"].concat();
    assert_same(
        open(vec![longer]).unwrap(),
        safetensors("model.safetensors"),
    );
}

#[test]
fn text_of_python_2_and_parts_of_storages_are_read() {
    // The state of torch 0.4 to 1.4 in Python 2: short texts, and a tensor that names a part of its storage.
    let text = |text: &str| {
        [
            b"U",
            &[u8::try_from(text.len()).unwrap()][..],
            text.as_bytes(),
        ]
        .concat()
    };
    let pickle = [
        &b"\x80\x02}"[..],
        &text("wte.weight"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text("0"),
        &text("cpu"),
        b"K\xb4(",
        &text("1"),
        b"K\x14K\xa0ttQK\x00K\x14K\x08\x86K\x08K\x01\x86\x89}tRs.",
    ]
    .concat();
    let file = |len: u64| {
        [
            &b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."[..],
            &pickle,
            b"\x80\x02]U\x010a.",
            &len.to_le_bytes(),
            &[0; 720],
        ]
        .concat()
    };
    // Nothing is wrong with it but that it is alone.
    let error = refused(file(180));
    assert!(
        matches!(&error, WeightsError::MissingTensor { name } if name == "wpe.weight"),
        "{error:?}"
    );
    assert!(matches!(refused(file(179)), WeightsError::Malformed { .. }));
}

#[test]
fn weights_are_found_under_a_key_and_behind_the_names_of_wrappers() {
    let safetensors_with = |prefix: &str, inner: &str| {
        let file = read("model.safetensors");
        let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
        let names = tensors.tensors().into_iter().map(|(name, tensor)| {
            let name = name.replacen("transformer.", prefix, 1);
            (name.replace(".attn.", &format!(".{inner}attn.")), tensor)
        });
        safetensors::serialize(names, None).unwrap()
    };
    for (prefix, inner) in [
        ("", ""),
        ("module.transformer.", ""),
        ("_orig_mod.transformer.", ""),
        ("module._orig_mod.", ""),
        ("model.", ""),
        ("model.transformer.", "_orig_mod."),
        ("base_model.model.transformer.", ""),
        (
            "_forward_module.transformer.",
            "_checkpoint_wrapped_module.",
        ),
    ] {
        eprintln!("{prefix} {inner}");
        let opened = open(vec![safetensors_with(prefix, inner)]).unwrap();
        assert_same(opened, safetensors("model.safetensors"));
    }
    // An adapter is no model, and neither is a part of another one.
    for (prefix, inner) in [("encoder.", ""), ("", "base_layer.")] {
        let refused = open(vec![safetensors_with(prefix, inner)]);
        assert!(matches!(refused, Err(WeightsError::MissingTensor { .. })));
    }
}

/// A tensor of 20 × 8 in storage 0, as a pickle with these numbers.
fn tensor(len: i32, offset: i32, rows: u8, strides: [u8; 2]) -> Vec<u8> {
    [
        &b"\x80\x02}X\x0a\0\0\0wte.weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuJ"[..],
        &len.to_le_bytes(),
        b"tQJ",
        &offset.to_le_bytes(),
        &[b'K', rows, b'K', 8, 0x86, b'K', strides[0], b'K', strides[1], 0x86],
        b"\x89ccollections\nOrderedDict\n)RtRs.",
    ]
    .concat()
}

#[test]
fn tensors_outside_their_numbers_are_refused() {
    let whole = [0; 640];
    let open = |pickle: &[u8], data: &[u8]| {
        refused(archive(&[
            ("a/data.pkl", pickle),
            ("a/data/0", data),
            ("a/version", b"3\n"),
        ]))
    };
    // Nothing wrong with it but that it is alone.
    assert!(matches!(
        open(&tensor(160, 0, 20, [8, 1]), &whole),
        WeightsError::MissingTensor { name } if name == "wpe.weight"
    ));
    for pickle in [
        tensor(159, 0, 20, [8, 1]),
        tensor(160, 1, 20, [8, 1]),
        tensor(160, i32::MAX, 20, [8, 1]),
        tensor(160, -1, 20, [8, 1]),
        tensor(-160, 0, 20, [8, 1]),
    ] {
        assert!(matches!(
            open(&pickle, &whole),
            WeightsError::Malformed { .. }
        ));
    }
    assert!(matches!(
        open(&tensor(160, 0, 21, [8, 1]), &whole),
        WeightsError::ShapeMismatch { got, .. } if got == [21, 8]
    ));
    // Its columns follow each other, and it is as large.
    assert!(matches!(
        open(&tensor(160, 0, 20, [1, 20]), &whole),
        WeightsError::MissingTensor { name } if name == "wpe.weight"
    ));
    for strides in [[9, 1], [8, 2], [1, 21], [255, 255]] {
        assert!(matches!(
            open(&tensor(160, 0, 20, strides), &whole),
            WeightsError::Malformed { .. }
        ));
    }
    // The entry is not as long as its numbers, or is not there.
    let error = open(&tensor(160, 0, 20, [8, 1]), &whole[..600]);
    assert!(matches!(error, WeightsError::Malformed { .. }), "{error:?}");
    let error = refused(archive(&[("a/data.pkl", &tensor(160, 0, 20, [8, 1]))]));
    assert!(matches!(error, WeightsError::MissingTensor { name } if name == "wte.weight"));
    let error = refused(archive(&[
        ("a/data.pkl", &tensor(160, 0, 20, [8, 1])),
        ("b/data/0", &whole),
    ]));
    assert!(matches!(error, WeightsError::MissingTensor { name } if name == "wte.weight"));
}

#[test]
fn archives_that_pytorch_does_not_write_are_refused() {
    let pickle = tensor(160, 0, 20, [8, 1]);
    let error = refused(archive(&[("a/data/0", &[0; 640]), ("a/data.pkl", &pickle)]));
    assert!(matches!(error, WeightsError::DataBeforeNames));
    let big = archive(&[
        ("a/data.pkl", &pickle),
        ("a/byteorder", b"big"),
        ("a/data/0", &[0; 640]),
    ]);
    assert!(matches!(refused(big), WeightsError::BigEndian));
    // The same with its size before it, as other programs store it, and none behind.
    let mut again = archive(&[("a/data.pkl", &pickle)]);
    again.truncate(again.len() - 22);
    again.extend(
        b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\x03\0\0\0\x0b\0\0\0a/byteorderbig",
    );
    again.extend(archive(&[("a/data/0", &[0; 640])]));
    assert!(matches!(refused(again), WeightsError::BigEndian));
    let error = refused(archive(&[("word/document.xml", b"<xml>")]));
    assert!(matches!(error, WeightsError::Malformed { what, .. } if what.contains("data.pkl")));

    let whole = archive(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 640])]);
    let second = whole.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        refused(file)
    };
    assert!(matches!(changed(8, &[8]), WeightsError::Compressed { name } if name == "a/data.pkl"));
    for (at, bytes) in [
        (second, &b"XX"[..]),
        (second + 6, b"\x09"),
        (second + 18, b"\x01\0\0\0\x02\0\0\0"),
        (second + 18, b"\x01\0\0\0\x01\0\0\0"),
        (second + 18, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        (whole.len() - 30, b"\0"),
    ] {
        let error = changed(at, bytes);
        assert!(
            matches!(error, WeightsError::Malformed { .. }),
            "{at}: {error:?}"
        );
    }
}

#[test]
fn an_entry_with_a_descriptor_inside_is_read_to_its_end() {
    // What looks like a descriptor is not one: the number of bytes before it is another.
    let inside = b"PK\x07\x08\0\0\0\0\x01\0\0\0\x01\0\0\0PK\x07\x08";
    let error = refused(archive(&[
        ("a/data.pkl", &tensor(160, 0, 20, [8, 1])),
        ("a/.data/serialization_id", inside),
        ("a/data/0", &[0; 640]),
    ]));
    assert!(matches!(error, WeightsError::MissingTensor { name } if name == "wpe.weight"));
}
