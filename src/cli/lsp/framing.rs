//! Messages on the wire: a header with the length, an empty line, the content.
//!
//! A header that is none is passed over until one is: a stream that went astray is found again.

use std::io::{self, BufRead, Read, Write};

/// Largest content that is looked at, in bytes: far above any document that a person edits.
const MAX_CONTENT: u64 = 64 << 20;
/// Longest line of a header.
const MAX_HEADER: u64 = 4 << 10;

/// What came next.
pub(super) enum Frame {
    /// Nothing: the input is at its end.
    End,
    /// The content of a message.
    Content(Vec<u8>),
    /// A content of so many bytes, which was passed over.
    TooLarge(u64),
}

/// Reads the next message.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Frame> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(Frame::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            match length {
                Some(length) => return content(input, length),
                None => continue,
            }
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
}

fn content(input: &mut impl BufRead, length: u64) -> io::Result<Frame> {
    let mut body = input.by_ref().take(length);
    if length > MAX_CONTENT {
        io::copy(&mut body, &mut io::sink())?;
        return Ok(Frame::TooLarge(length));
    }
    let mut content = Vec::new();
    body.read_to_end(&mut content)?;
    Ok(if content.len() as u64 == length { Frame::Content(content) } else { Frame::End })
}

/// Writes a message.
pub(super) fn write(out: &mut dyn Write, content: &str) -> io::Result<()> {
    write!(out, "Content-Length: {}\r\n\r\n{content}", content.len())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::{Frame, read};

    fn all(text: &str) -> Vec<String> {
        let mut input = text.as_bytes();
        let mut found = Vec::new();
        loop {
            match read(&mut input).unwrap() {
                Frame::End => return found,
                Frame::Content(content) => found.push(String::from_utf8(content).unwrap()),
                Frame::TooLarge(length) => found.push(format!("too large: {length}")),
            }
        }
    }

    #[test]
    fn what_is_no_header_is_passed_over() {
        assert_eq!(all("Content-Length: 2\r\n\r\nabContent-Length: 1\r\n\r\nc"), ["ab", "c"]);
        assert_eq!(all("rubbish\r\n\r\ncontent-length:1\nX: y\n\nc"), ["c"]);
        assert_eq!(all("Content-Length: many\r\n\r\nContent-Length: 1\r\n\r\nc"), ["c"]);
    }

    #[test]
    fn an_end_in_the_middle_is_an_end() {
        assert_eq!(all("Content-Length: 5\r\n\r\nab"), [""; 0]);
        assert_eq!(all("Content-Len"), [""; 0]);
        assert_eq!(all("Content-Length: 99999999999999\r\n\r\nab"), ["too large: 99999999999999"]);
    }
}
