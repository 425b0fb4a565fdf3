//! `PostsFile`: the posts of one account as lines of JSON in a file, which may be larger than the memory for them.

use std::io;

use posts::archive::error::MAX_ELEMENT_BYTES;
use posts::post::Post;

/// Most bytes of a line. JSON writes up to six bytes for one of an export, whose posts have at most [`MAX_ELEMENT_BYTES`].
pub const MAX_LINE_BYTES: usize = 8 * MAX_ELEMENT_BYTES;
/// Bytes that are collected before they are written.
const WRITE_BYTES: usize = 1 << 20;
/// Bytes that are read at once where the posts are read in their order.
const READ_BYTES: usize = 1 << 20;

/// A file that grows at its end.
pub trait Bytes {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// Those of the storage, such as a full one.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Fills `out` with the bytes from `start` on.
    ///
    /// # Errors
    /// Those of the storage; [`io::ErrorKind::UnexpectedEof`] beyond the end.
    fn read_at(&mut self, start: u64, out: &mut [u8]) -> io::Result<()>;

    /// Its length.
    fn len(&self) -> u64;

    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A file in memory, for browsers without storage.
impl Bytes for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn read_at(&mut self, start: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(start).map_err(io::Error::other)?;
        let end = start.checked_add(out.len());
        let found = end.and_then(|end| self.get(start..end));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }
}

/// The posts of one account.
pub struct PostsFile {
    file: Box<dyn Bytes>,
    /// Lines that are not written yet.
    waiting: Vec<u8>,
    /// The offset of each line, and of the end.
    starts: Vec<u64>,
}

impl PostsFile {
    /// No posts, in an empty file.
    #[must_use]
    pub fn new(file: Box<dyn Bytes>) -> Self {
        Self {
            file,
            waiting: Vec::new(),
            starts: vec![0],
        }
    }

    /// The posts of a file that an earlier visit wrote. A line without an end, which a closed tab leaves, is not one.
    ///
    /// # Errors
    /// Those of the storage.
    pub fn open(mut file: Box<dyn Bytes>) -> io::Result<Self> {
        let mut starts = vec![0];
        let mut block = vec![0; READ_BYTES];
        let (mut at, len) = (0, file.len());
        while at < len {
            let n = usize::try_from(len - at).map_or(READ_BYTES, |rest| rest.min(READ_BYTES));
            file.read_at(at, &mut block[..n])?;
            let ends = block[..n].iter().enumerate();
            let ends = ends.filter(|(_, byte)| **byte == b'\n');
            starts.extend(ends.map(|(i, _)| at + i as u64 + 1));
            at += n as u64;
        }
        Ok(Self {
            file,
            waiting: Vec::new(),
            starts,
        })
    }

    /// Number of posts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all lines.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.starts.last().copied().unwrap_or_default()
    }

    /// Adds a post.
    ///
    /// # Errors
    /// Those of the storage; [`io::ErrorKind::FileTooLarge`] beyond [`MAX_LINE_BYTES`].
    pub fn push(&mut self, post: &Post) -> io::Result<()> {
        let start = self.waiting.len();
        serde_json::to_writer(&mut self.waiting, post)?;
        self.waiting.push(b'\n');
        let line_bytes = self.waiting.len() - start;
        if line_bytes > MAX_LINE_BYTES {
            self.waiting.truncate(start);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.starts.push(self.size_bytes() + line_bytes as u64);
        if self.waiting.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is collected.
    ///
    /// # Errors
    /// Those of the storage; what could not be written stays collected.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.file.append(&self.waiting)?;
            self.waiting.clear();
        }
        Ok(())
    }

    /// Writes what is collected and closes the file, until it is given back.
    ///
    /// # Errors
    /// Those of the storage; the file then stays open.
    pub fn close(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file = Box::<Vec<u8>>::default();
        Ok(())
    }

    /// Takes the file that was closed, which may have another name since.
    pub fn reopen(&mut self, file: Box<dyn Bytes>) {
        self.file = file;
    }

    /// The posts from `first` on, at most a block of them; empty after the last one.
    ///
    /// # Errors
    /// Those of the storage; a line that is no post.
    pub fn block(&mut self, first: usize) -> io::Result<Vec<Post>> {
        self.block_and_lines(first).map(|(posts, _)| posts)
    }

    /// The same, and the lines.
    ///
    /// # Errors
    /// As [`PostsFile::block`].
    pub fn block_and_lines(&mut self, first: usize) -> io::Result<(Vec<Post>, Vec<u8>)> {
        self.flush()?;
        let nothing = || Ok((Vec::new(), Vec::new()));
        let Some(&start) = self.starts.get(first) else {
            return nothing();
        };
        let limit = start + READ_BYTES as u64;
        let rest = &self.starts[first + 1..];
        // At least one line, whatever its length.
        let n = rest
            .partition_point(|&end| end <= limit)
            .max(1)
            .min(rest.len());
        let Some(&end) = n.checked_sub(1).and_then(|last| rest.get(last)) else {
            return nothing();
        };
        let mut lines = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        self.file.read_at(start, &mut lines)?;
        let posts = lines.split(|byte| *byte == b'\n').take(n);
        let posts = posts.map(|line| Ok(serde_json::from_slice(line)?));
        let posts: io::Result<Vec<Post>> = posts.collect();
        Ok((posts?, lines))
    }

    /// One post.
    ///
    /// # Errors
    /// Those of the storage; a line that is no post.
    pub fn post(&mut self, idx: usize) -> io::Result<Option<Post>> {
        let (Some(&start), Some(&end)) = (self.starts.get(idx), self.starts.get(idx + 1)) else {
            return Ok(None);
        };
        self.flush()?;
        let mut line = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        self.file.read_at(start, &mut line)?;
        Ok(Some(serde_json::from_slice(&line)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

    use super::*;

    fn post(text: &str) -> Post {
        Post {
            text: text.to_owned(),
            ..Post::default()
        }
    }

    #[test]
    fn posts_come_back_in_their_order_whatever_their_length() {
        let texts = ["a\nb", "", &"long ".repeat(READ_BYTES / 2), "🌸", "end"];
        let mut file = PostsFile::new(Box::<Vec<u8>>::default());
        for text in texts {
            file.push(&post(text)).unwrap();
        }
        let mut found = Vec::new();
        while found.len() < texts.len() {
            let block = file.block(found.len()).unwrap();
            assert!(!block.is_empty());
            found.extend(block.into_iter().map(|post| post.text));
        }
        assert_eq!(found, texts);
        assert!(file.block(texts.len()).unwrap().is_empty());
        assert_eq!(file.post(3).unwrap(), Some(post("🌸")));
        assert_eq!(file.post(5).unwrap(), None);
    }

    #[test]
    fn a_line_that_could_not_be_read_back_is_not_written() {
        let mut file = PostsFile::new(Box::<Vec<u8>>::default());
        file.push(&post("before")).unwrap();
        let error = file.push(&post(&"a".repeat(MAX_LINE_BYTES))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        file.push(&post("after")).unwrap();
        let texts = file.block(0).unwrap().into_iter().map(|post| post.text);
        assert_eq!(texts.collect::<Vec<_>>(), ["before", "after"]);
    }

    #[test]
    fn a_file_of_an_earlier_visit_opens_without_the_line_that_was_cut() {
        let mut bytes = Vec::new();
        for text in ["one", "two"] {
            serde_json::to_writer(&mut bytes, &post(text)).unwrap();
            bytes.push(b'\n');
        }
        let whole = bytes.clone();
        bytes.extend_from_slice(b"{\"id\":");
        let mut cut = PostsFile::open(Box::new(bytes)).unwrap();
        assert_eq!(cut.len(), 2);
        assert_eq!(cut.block_and_lines(0).unwrap().1, whole);
        assert_eq!(cut.post(1).unwrap(), Some(post("two")));
    }
}
