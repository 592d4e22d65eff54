use super::*;
use proptest::prelude::*;
use rstest::rstest;
use std::io::Cursor;

/// Hands out so many bytes at once.
struct Dribble<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl<'a> Dribble<'a> {
    fn of(bytes: &'a [u8], sizes: &[usize]) -> Dribble<'a> {
        Dribble { bytes, sizes: sizes.to_vec(), turn: 0 }
    }
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len()).min(self.bytes.len());
        self.turn += 1;
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

fn pieces(bytes: &[u8]) -> Vec<Piece> {
    Pieces::of(Cursor::new(bytes)).map(Result::unwrap).collect()
}

/// `LINE VALUE` or `LINE !WHY`.
fn told(bytes: &[u8]) -> Vec<String> {
    let tell = |piece: Piece| match piece.found {
        Ok(text) => format!("{} {text}", piece.line),
        Err(why) => format!("{} !{why}", piece.line),
    };
    pieces(bytes).into_iter().map(tell).collect()
}

#[rstest]
#[case("", &[])]
#[case(" \r\n\n", &[])]
#[case("{\"a\":1}", &["1 {\"a\":1}"])]
#[case("\u{feff}{\"a\":1}\n", &["1 {\"a\":1}"])]
#[case("{\"a\":1}\r\n\r\n{\"b\":2}\r\n", &["1 {\"a\":1}", "3 {\"b\":2}"])]
#[case("{\"a\":1}{\"b\":2} {\"c\":3}", &["1 {\"a\":1}", "1 {\"b\":2}", "1 {\"c\":3}"])]
#[case("{\n \"a\": 1\n}\n{\n \"b\": 2\n}", &["1 {\n \"a\": 1\n}", "4 {\n \"b\": 2\n}"])]
#[case("[{\"a\":1},\n {\"b\":[1, {}]}\n]", &["1 {\"a\":1}", "2 {\"b\":[1, {}]}"])]
#[case("[[{\"a\":1}],[],\n[[{\"b\":2}]]]", &["1 {\"a\":1}", "2 {\"b\":2}"])]
#[case("[{\"a\":1}]\n[{\"b\":2}]\n", &["1 {\"a\":1}", "2 {\"b\":2}"])]
#[case("{\"a\":1},{\"b\":2},", &["1 {\"a\":1}", "1 {\"b\":2}"])]
#[case("1 2.5e3 true \"x]\" null -0", &["1 1", "1 2.5e3", "1 true", "1 \"x]\"", "1 null", "1 -0"])]
#[case("{\"a\":\"\\\"}{\"}", &["1 {\"a\":\"\\\"}{\"}"])]
fn every_layout_is_read(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(told(text.as_bytes()), expected);
}

#[rstest]
// A line that is cut off, in a text and outside of one.
#[case("{\"a\":\"x\n{\"b\":2}\n", &["1 !it is not JSON (line 1, column 8)", "2 {\"b\":2}"])]
#[case("{\"a\":1,\n{\"b\":2}\n", &["1 !it is not JSON (line 2, column 1)", "2 {\"b\":2}"])]
#[case(
    "{\"z\":0}\n{\"a\":\n{\"b\":2}\n{\"c\":3}\n",
    &["1 {\"z\":0}", "2 !it is not JSON (line 4, column 1)", "3 {\"b\":2}", "4 {\"c\":3}"]
)]
#[case("{\"a\":\n{\"b\":2}\n", &["1 !the file ends in the middle of it", "2 {\"b\":2}"])]
#[case("{\"a\":1}\n{\"b\":", &["1 {\"a\":1}", "2 !the file ends in the middle of it"])]
// Lines that are no JSON at all: each is told.
#[case(
    "foo, bar\n{\"a\":1}\n\nbaz {\"b\":2}\n2024-01-02 x\n",
    &[
        "1 !it is not JSON (line 1, column 2)",
        "2 {\"a\":1}",
        "4 !it is not JSON (line 4, column 1)",
        "5 !it is not JSON (line 5, column 5)",
    ]
)]
#[case("{\"a\":1,\nfoo\n{\"c\":3}", &[
    "1 !it is not JSON (line 2, column 1)",
    "2 !it is not JSON (line 2, column 2)",
    "3 {\"c\":3}",
])]
#[case("{\"a\":1} x\n{\"b\":2}", &["1 {\"a\":1}", "1 !it is not JSON (line 1, column 9)", "2 {\"b\":2}"])]
// An element of a list.
#[case("[{\"a\":1},{bad},{\"b\":2}]", &["1 {\"a\":1}", "1 !it is not JSON (line 1, column 11)", "1 {\"b\":2}"])]
#[case("[{\"a\":1},foo,{\"b\":2}]", &["1 {\"a\":1}", "1 !it is not JSON (line 1, column 11)", "1 {\"b\":2}"])]
#[case("[{\"a\":\"\\x]}\"},{\"b\":2}]", &["1 !it is not JSON (line 1, column 9)", "1 {\"b\":2}"])]
#[case(
    "[\n  {\n    \"a\": 1\n    \"b\": {\n    }\n  },\n  {\n    \"c\": 3\n  }\n]\n",
    &["2 !it is not JSON (line 4, column 5)", "7 {\n    \"c\": 3\n  }"]
)]
#[case(
    "[\n  {\n    \"a\": {\n  },\n  {\n    \"c\": 3\n  }\n]\n",
    &["2 !it is not JSON (line 5, column 3)", "5 {\n    \"c\": 3\n  }"]
)]
#[case("{\n \"a\": 1\n \"b\": 2\n}\n{\n \"c\": 3\n}\n", &[
    "1 !it is not JSON (line 3, column 2)",
    "5 {\n \"c\": 3\n}",
])]
#[case("[{\"a\":1}", &["1 {\"a\":1}", "1 !the list that begins here has no end"])]
#[case("\n[\n[{\"a\":1}]\n", &["3 {\"a\":1}", "2 !the list that begins here has no end"])]
#[case("]{\"a\":1}", &["1 !a list ends here that never began", "1 {\"a\":1}"])]
#[case("{\"a\":1}}\n{\"b\":2}", &["1 {\"a\":1}", "1 !it is not JSON (line 1, column 8)", "2 {\"b\":2}"])]
fn what_is_broken_is_told_and_the_rest_is_read(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(told(text.as_bytes()), expected);
}

#[test]
fn what_is_no_text_is_told() {
    assert_eq!(told(b"{\"a\":\"\xff\"}\n{\"b\":2}"), ["1 !it is not UTF-8", "2 {\"b\":2}"]);
    // As some shells write files: UTF-16.
    let utf16: Vec<u8> = "\u{feff}{}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(pieces(&utf16).iter().all(|piece| piece.found.is_err()));
}

/// A value of a size: `{"a":"xxx"}`.
fn sized(size: usize) -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8))
}

#[test]
fn what_is_too_large_is_passed_over_and_not_kept() {
    let (fits, large) = (sized(LARGEST), sized(LARGEST * 4));
    let list = format!("[\n{fits},\n{large},\n{{\"b\":2}}]");
    let mut read = Pieces::of(Cursor::new(list.as_bytes()));
    let mut found = Vec::new();
    while let Some(piece) = read.next() {
        assert!(read.buffer.capacity() <= 4 * LARGEST, "{}", read.buffer.capacity());
        let piece = piece.unwrap();
        found.push((piece.line, piece.found.map(|text| text.len())));
    }
    assert_eq!(found, [(2, Ok(LARGEST)), (3, Err(Broken::TooLarge)), (4, Ok(7))]);
}

#[test]
fn what_is_nested_too_deep_is_told_as_that_and_passed_over() {
    let deep = 2 << 20;
    let text = format!("{{\"a\":{}{}}}\n{{\"b\":2}}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(told(text.as_bytes()), ["1 !it is nested too deep to be read", "2 {\"b\":2}"]);
}

#[test]
fn a_large_value_that_breaks_is_told_once() {
    let large = sized(LARGEST * 2).replace("\"}", "");
    assert_eq!(
        told(format!("{large}\n{{\"b\":2}}").as_bytes()),
        ["1 !it is larger than 8 MiB", "2 {\"b\":2}"]
    );
    assert_eq!(told(large.as_bytes()), ["1 !it is larger than 8 MiB"]);
}

/// Each line looks like the beginning of something, and none is whole: read again from each, the file
/// would be read once for each of its lines.
#[test]
fn a_file_of_nothing_but_beginnings_is_not_read_for_ever() {
    let lines = 1_000_000;
    let text = "{\"a\":\n".repeat(lines);
    let mut read = Pieces::of(Cursor::new(text.as_bytes()));
    let told = read.by_ref().map(Result::unwrap).filter(|piece| piece.found.is_err()).count();
    assert!((1..=lines).contains(&told), "{told}");
    assert!(read.again <= text.len() as u64 * AGAIN_FOR_EACH + AGAIN_ANYHOW, "{}", read.again);
}

#[test]
fn a_reader_that_fails_ends_it_with_its_error() {
    struct Failing(bool);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("the disk is gone"));
            }
            buffer[..9].copy_from_slice(b"[{} {\"a\":");
            Ok(9)
        }
    }
    let read: Vec<_> = Pieces::of(Failing(false)).map(|piece| piece.map_err(|e| e.to_string())).collect();
    let first = Piece { line: 1, found: Ok("{}".into()) };
    assert_eq!(read, [Ok(first), Err("the disk is gone".to_owned())]);
}

#[test]
fn what_has_come_is_told_before_more_is_read() {
    let mut read = Pieces::of(Dribble::of(b"{}{}{\"a\":1}", &[6, 5]));
    assert!(read.ready().is_none(), "nothing was read yet");
    assert_eq!(read.next().unwrap().unwrap().found.unwrap(), "{}".into());
    assert!(read.ready().is_some() && read.ready().is_none());
    assert_eq!(read.next().unwrap().unwrap().found.unwrap(), "{\"a\":1}".into());
}

/// JSON, more or less, with line feeds and brackets in it.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(b"{\"a\":1}".to_vec()),
        2 => Just(b"\n".to_vec()),
        2 => Just(b"  ".to_vec()),
        1 => Just(b"{\"k\":\n".to_vec()),
        1 => Just(b"{\n \"a\": [1, {\"b\": \"]}\\\"\"}]\n}".to_vec()),
        1 => "[\\[\\]{},:\"\\\\tfn0-9. x-]{1,4}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn however_it_comes_it_is_the_same(bytes in nearly_json(), sizes in proptest::collection::vec(1usize..9, 1..6)) {
        let dribbled: Vec<Piece> = Pieces::of(Dribble::of(&bytes, &sizes)).map(Result::unwrap).collect();
        prop_assert_eq!(dribbled, pieces(&bytes));
    }

    #[test]
    fn what_is_told_is_json_and_stands_on_its_line(bytes in nearly_json()) {
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        for piece in pieces(&bytes) {
            let line = lines[usize::try_from(piece.line).unwrap() - 1];
            if let Ok(text) = piece.found {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
                let first = text.lines().next().unwrap().as_bytes();
                prop_assert!(line.windows(first.len()).any(|part| part == first));
            }
        }
    }

    #[test]
    fn lines_of_json_are_read_whole_whatever_stands_between_them(
        good in proptest::collection::vec("[a-z]{0,8}", 1..12),
        bad in prop_oneof![Just("{\"cut\":\"off"), Just("{\"cut\":"), Just("{\"cut\":1,"), Just("no json"), Just("{]"), Just("")],
        at in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<String> = good.iter().map(|text| serde_json::json!({ "k": text }).to_string()).collect();
        let at = at.index(lines.len());
        lines.insert(at, bad.to_owned());
        let told = pieces(lines.join("\n").as_bytes());
        let read: Vec<&str> = told.iter().filter_map(|piece| piece.found.as_deref().ok()).collect();
        lines.remove(at);
        prop_assert_eq!(read, lines);
        let broken: Vec<u64> = told.iter().filter(|piece| piece.found.is_err()).map(|piece| piece.line).collect();
        prop_assert_eq!(broken, if bad.is_empty() { vec![] } else { vec![at as u64 + 1] });
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        pieces(&bytes);
    }
}
