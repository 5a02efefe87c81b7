//! What is read, what is refused and where, and that every character finds its way back.

use std::fmt::Write as _;

use super::*;

fn load(bytes: impl AsRef<[u8]>) -> (Sources, Result<Node, Vec<Diagnostic>>) {
    let mut sources = Sources::default();
    let node = match sources.add("f.yaml", bytes.as_ref()) {
        Ok(file) => read(&sources, file),
        Err(problem) => Err(vec![problem]),
    };
    (sources, node)
}

fn json(bytes: impl AsRef<[u8]>) -> serde_json::Value {
    load(bytes).1.unwrap().to_json()
}

/// One line a problem: place, the text there, code, message, related places and help.
fn problems(bytes: impl AsRef<[u8]>) -> String {
    let (sources, node) = load(bytes);
    let Err(problems) = node else { return format!("accepted: {}", node.unwrap().to_json()) };
    let mut out = String::new();
    for problem in problems {
        let place = problem.place.unwrap();
        let location = sources.location(place);
        let text = sources.get(place.file).unwrap().text();
        let at = &text[place.start as usize..place.end as usize];
        let (line, column) = (location.line, location.column);
        write!(out, "{line}:{column} {at:?} {}: {}", problem.code, problem.message).unwrap();
        for (place, label) in &problem.related {
            let Location { line, column, .. } = sources.location(*place);
            write!(out, "; {line}:{column} {label}").unwrap();
        }
        for help in &problem.help {
            write!(out, "; help: {help}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn codes(bytes: impl AsRef<[u8]>) -> Vec<&'static str> {
    load(bytes).1.err().unwrap_or_default().iter().map(|problem| problem.code).collect()
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn encodings_are_told_apart_by_the_first_bytes() {
    let text = "a: 1\nb: ä😀\n";
    let expected = serde_json::json!({"a": 1, "b": "ä😀"});
    let marked = format!("\u{FEFF}{text}");
    assert_eq!(json(text), expected);
    assert_eq!(json(&marked), expected);
    for mark in [text, &marked] {
        assert_eq!(json(utf16(mark, u16::to_le_bytes)), expected);
        assert_eq!(json(utf16(mark, u16::to_be_bytes)), expected);
    }
    let (sources, _) = load(&marked);
    let (_, source) = sources.iter().next().unwrap();
    assert_eq!((source.name(), source.text()), ("f.yaml", text));
    assert_eq!(source.digest(), digest::sha256(marked.as_bytes()));
}

#[test]
fn damaged_encodings_are_refused_where_they_break() {
    insta::assert_snapshot!(problems(b"a: 1\nb: \xE4x\n"), @r#"2:4 "�" invalid-encoding: not valid UTF-8: byte 0xE4 at offset 8; help: save the file as UTF-8"#);
    insta::assert_snapshot!(problems(b"\xEF\xBB\xBFa: \xFF"), @r#"1:4 "�" invalid-encoding: not valid UTF-8: byte 0xFF at offset 6; help: save the file as UTF-8"#);
    insta::assert_snapshot!(problems(b"\xFF\xFEa\0:\0 \0\x3D\xD8b\0"), @r#"1:4 "�" invalid-encoding: not valid UTF-16LE: a lone surrogate at byte offset 8; help: save the file as UTF-8"#);
    insta::assert_snapshot!(problems(b"\xFE\xFF\0a\0"), @r#"1:2 "�" invalid-encoding: not valid UTF-16BE: half a character at byte offset 4; help: save the file as UTF-8"#);
    insta::assert_snapshot!(problems(b"a: b\0c"), @r#"1:5 "\0" nul-character: a NUL character: this is not a text file, or a damaged one; help: save the file as UTF-8 text"#);
    insta::assert_snapshot!(problems(b"\0\0\xFE\xFF\0\0\0a"), @r#"1:1 "" invalid-encoding: the file is in UTF-32, which is not read; help: save the file as UTF-8"#);
    assert_eq!(codes([0; 64]), ["nul-character"]);
    let large = encoding::too_large("x", encoding::LIMIT + 1);
    insta::assert_snapshot!(large.message, @"`x` has 1073741825 bytes, 1073741824 are the most");
}

#[test]
fn no_document_is_an_error() {
    for text in ["", "\n", "# only\n", "  \n\t\n", "---\n", "---\n...\n", "\u{FEFF}", "--- # x\n"] {
        assert_eq!(codes(text), ["empty-document"], "{text:?}");
    }
    assert!(load("null").1.unwrap().is_null());
    assert_eq!(json("---\na: 1\n...\n"), serde_json::json!({"a": 1}));
}

#[test]
fn the_core_schema_resolves_plain_scalars() {
    let text = "[~, null, true, False, 0, -12, +5, 0x1F, 0o17, 1.5, 1e3, .5, 1., -0, -.5E-2, 9223372036854775807, \
                2009-05-04, 2009-05-04T18:00:00Z, 1.2.3, 8.1.240.6, a b, 'yes', \"0755\", 0x, 0o8, 1e, .., +a, 12ab, 0b2, nO, <<, =]";
    let values = load(text).1.unwrap();
    let kinds: Vec<_> = values.as_list().unwrap().iter().map(Node::kind_name).collect();
    insta::assert_snapshot!(values.to_json(), @r#"[null,null,true,false,0,-12,5,31,15,1.5,1000.0,0.5,1.0,0,-0.005,9223372036854775807,"2009-05-04","2009-05-04T18:00:00Z","1.2.3","8.1.240.6","a b","yes","0755","0x","0o8","1e","..","+a","12ab","0b2","nO","<<","="]"#);
    assert_eq!(kinds[..6], ["null", "null", "boolean", "boolean", "whole number", "whole number"]);
}

#[test]
fn what_two_versions_of_yaml_read_differently_is_refused() {
    insta::assert_snapshot!(problems("a: yes\noff: 1\nb: [0755, 1_000, -0x1F, 22:22]\nid: on\n"), @r#"
    1:4 "yes" ambiguous-scalar: `yes` is `true` in YAML 1.1 and text in YAML 1.2; help: write `true`, or quote it: `"yes"`
    2:1 "off" ambiguous-scalar: `off` is `false` in YAML 1.1 and text in YAML 1.2; help: quote it: `"off"`
    3:5 "0755" ambiguous-scalar: `0755` is octal in YAML 1.1 and decimal in YAML 1.2; help: quote it: `"0755"`, or write the number without leading zero
    3:11 "1_000" ambiguous-scalar: `1_000` is a number in YAML 1.1 and text in YAML 1.2; help: quote it: `"1_000"`, or write the number without `_` and in decimal digits
    3:18 "-0x1F" ambiguous-scalar: `-0x1F` is a number in YAML 1.1 and text in YAML 1.2; help: quote it: `"-0x1F"`, or write the number without `_` and in decimal digits
    3:25 "22:22" ambiguous-scalar: `22:22` is a number to base 60 in YAML 1.1 and text in YAML 1.2; help: quote it: `"22:22"`
    4:5 "on" ambiguous-scalar: `on` is `true` in YAML 1.1 and text in YAML 1.2; help: quote it: `"on"`
    "#);
    for text in [
        "y",
        "N",
        "On",
        "OFF",
        "00",
        "-012",
        "08",
        "1_0.5",
        "0b101",
        "0x_1",
        "1:30:00",
        "08:30",
        "-1:30",
        "190:20:30.15",
        "1_",
        "+1_0",
        "._5",
    ] {
        assert_eq!(codes(format!("a: {text}")), ["ambiguous-scalar"], "{text}");
        assert!(load(format!("a: '{text}'\n'{text}': b")).1.is_ok(), "{text}");
    }
    for text in
        ["12:345", "1:2a", "C:\\x", "1_a", "_", "0_x", "12:", "007a", "1-2", "10:00Z", "a:1"]
    {
        let accepted = problems(format!("- {text}")).starts_with("accepted: [\"");
        assert!(accepted || text.ends_with(':'), "{text}");
    }
}

#[test]
fn numbers_that_no_type_holds_are_refused() {
    insta::assert_snapshot!(problems("[9223372036854775808, 0xFFFFFFFFFFFFFFFF, 1e400, -.inf, .NaN]"), @r#"
    1:2 "9223372036854775808" number-out-of-range: `9223372036854775808` does not fit; help: whole numbers are between -9223372036854775808 and 9223372036854775807; quote it if it is text
    1:23 "0xFFFFFFFFFFFFFFFF" number-out-of-range: `0xFFFFFFFFFFFFFFFF` does not fit; help: whole numbers are between -9223372036854775808 and 9223372036854775807; quote it if it is text
    1:43 "1e400" number-out-of-range: `1e400` does not fit; help: whole numbers are between -9223372036854775808 and 9223372036854775807; quote it if it is text
    1:50 "-.inf" number-out-of-range: `-.inf` is not a finite number; help: whole numbers are between -9223372036854775808 and 9223372036854775807; quote it if it is text
    1:57 ".NaN" number-out-of-range: `.NaN` is not a finite number; help: whole numbers are between -9223372036854775808 and 9223372036854775807; quote it if it is text
    "#);
}

#[test]
fn all_problems_of_a_document_are_told_at_their_places() {
    insta::assert_snapshot!(problems("a: 1\nb: &x !t {c: 1, c: 2}\na: *x\n<<: *y\n1: x\n? [k]\n: 2\n: v\nc: !!str\n"), @r#"
    2:4 "&x" yaml-alias: anchor `&x`; help: anchors and aliases are not read: write the value out where it is needed
    2:7 "!t" yaml-tag: tag `!t`; help: quote a text that begins with `!`
    2:17 "c" duplicate-key: key `c` a second time; 2:11 the first one
    3:1 "a" duplicate-key: key `a` a second time; 1:1 the first one
    3:4 "*x" yaml-alias: alias `*x`; help: anchors and aliases are not read: write the value out where it is needed
    4:1 "<<" yaml-merge-key: merge key `<<`; help: merge keys are not read: write the keys out
    4:5 "*y" yaml-alias: alias `*y`; help: anchors and aliases are not read: write the value out where it is needed
    5:1 "1" key-not-text: a key that is a number; help: a key is text: quote it
    6:3 "[k]" key-not-text: a key that is a list; help: a key is text: quote it
    8:1 "" key-not-text: a key that is null or missing; help: a key is text: quote it
    9:4 "!!str" yaml-tag: tag `!!str`; help: tags are not read: quotes make a text, their absence a number or `true`
    "#);
    insta::assert_snapshot!(problems("a: 1\n---\nb: 2\n"), @r#"2:1 "---" several-documents: a second document begins; help: put it into a file of its own"#);
    insta::assert_snapshot!(problems("{true: 1, null: 2, *z : 3}"), @r#"
    1:2 "true" key-not-text: a key that is a boolean; help: a key is text: quote it
    1:11 "null" key-not-text: a key that is null or missing; help: a key is text: quote it
    1:20 "*z" yaml-alias: alias `*z`; help: anchors and aliases are not read: write the value out where it is needed
    "#);
}

#[test]
fn syntax_errors_are_put_plainly() {
    let texts = [
        "a: b: c\n",
        "a: 'x\n",
        "a: [1, 2\nb: 3\n",
        "a: [1",
        "a:\n\tb: 1\n",
        "path: \"C:\\new\\Data\"\n",
        "a: \"\\uD83D\"\n",
        "a: \"\\uDE00\"\n",
        "{\"a\":1}x",
        "a: 1\n b: 2\n",
        "- a\nb: 1\n",
        "a: \u{1}b\n",
        "a: \u{7F}b\n",
        "a: {b: 1]",
        "a: @x\n",
        "]",
        "a: |\n  x\n y\n",
        "%FOO\n",
        "a: \"x\\\u{7F}\"",
    ];
    let all: String = texts.iter().map(problems).collect();
    insta::assert_snapshot!(all, @r#"
    1:5 ":" yaml-syntax: a `:` may not stand here; help: quote the text if the colon belongs to it
    1:4 "'" yaml-syntax: a quote that is never closed
    2:2 ":" yaml-syntax: a `:` may not stand here; help: is a `[` or `{` above never closed?
    1:4 "[" yaml-syntax: `[` is never closed
    2:1 "\t" yaml-syntax: a tab may not indent; help: use spaces
    1:14 "\\D" yaml-syntax: no such escape in double quotes; help: a backslash in double quotes begins an escape: write it twice, or use single quotes
    1:5 "\\uD83D" yaml-syntax: half a surrogate pair
    1:5 "\\uDE00" yaml-syntax: half a surrogate pair
    1:8 "x" yaml-syntax: the document has ended before this; help: is the indentation that of the lines above?
    2:2 "b" yaml-syntax: the indentation of `b` is 1, that of `a` beside it 0; help: begin `b` in column 1, as `a` does
    2:1 "b" yaml-syntax: expected `-`; help: is the indentation that of the `-` above?
    1:4 "\u{1}" yaml-syntax: `U+0001` may not stand here
    1:4 "\u{7f}" yaml-syntax: `U+007F` may not stand here
    1:4 "{" yaml-syntax: `{` is closed by `]`
    1:4 "@" yaml-syntax: `@` may not stand here
    1:1 "]" yaml-syntax: a closing bracket without an opening one
    3:2 "y" yaml-syntax: expected a key; help: is the indentation that of the keys above?
    2:1 "" yaml-syntax: the document has ended before this; help: is the indentation that of the lines above?
    1:6 "\\\u{7f}" yaml-syntax: no such escape in double quotes; help: a backslash in double quotes begins an escape: write it twice, or use single quotes
    "#);
}

#[test]
fn json_is_read_as_json() {
    let text = "\t{\"a\\/b\":\"\\uD83D\\uDE00 \\u0041\\b\\f\\n\\r\\t\\\"\\\\\",\t\"c\"\t:\t[1,-2.5e3,true,null,{}],\r\n\t\"d\"\n:\n[ ]\t}\n";
    let expected: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(json(text), expected);
    // Raw DEL, C1, non-characters and U+FEFF may stand in JSON's strings.
    let text = "{\"a\u{7F}\": \"\u{80}\u{9F}x\u{FFFE}\u{FFFF}\u{85}\u{2028}\u{FEFF}\", \"b\": \"\\u0000\"}";
    let expected: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(json(text), expected);
    for length in [1_000, 1_023, 1_024, 1_025, 5_000, 100_000] {
        let text = format!(
            "{{\"{}\" : 1, \"b\": {{\"{}\": \"{}\"}}}}",
            "k".repeat(length),
            "ä\\\"".repeat(length),
            "v".repeat(length)
        );
        assert_eq!(
            json(&text),
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            "{length}"
        );
    }
}

#[test]
fn random_json_is_read_as_serde_json_reads_it() {
    let mut random = Random(7);
    for round in 0..3_000 {
        let mut text = String::new();
        random_json(&mut random, 0, &mut text);
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (_, node) = load(&text);
        let node = node.unwrap_or_else(|error| panic!("{round}: {text:?} {error:?}"));
        assert_eq!(node.to_json(), expected, "{text:?}");
    }
}

#[test]
fn a_large_json_document_is_read_in_linear_time() {
    let mut text = String::from("[");
    for i in 0..40_000 {
        write!(
            text,
            "{}{{\"name\":\"DB{i}\",\"path\":\"D:\\\\x\\\\y{i}.edb\",\"n\":{i},\"l\":[1,2]}}",
            if i > 0 { "," } else { "" }
        )
        .unwrap();
    }
    text.push(']');
    let node = load(&text).1.unwrap();
    assert_eq!(node.to_json(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    let mut keys = String::new();
    for i in 0..100_000 {
        writeln!(keys, "k{i}: {i}").unwrap();
    }
    assert_eq!(load(keys + "k5: 1\n").1.unwrap_err().len(), 1);
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let laughs =
        "a: &a [l,l,l,l,l,l,l,l,l]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\n";
    assert!(codes(laughs).iter().all(|code| *code == "yaml-alias"));
    let flood = format!("- &a {}\n{}", "x".repeat(200_000), "- *a\n".repeat(20_000));
    let found = codes(flood);
    assert_eq!((found.len(), *found.last().unwrap()), (1_001, "too-many-errors"));
    let mut maps = String::new();
    for depth in 0..3_000 {
        writeln!(maps, "{}a:", " ".repeat(depth)).unwrap();
    }
    for text in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        maps,
        format!("a: {}", "{".repeat(50_000)),
        "{\"\":[".repeat(10_000) + &"]}".repeat(10_000),
        "[".repeat(10_000) + &"]".repeat(10_000),
        "- ".repeat(10_000) + "a",
        "? ".repeat(10_000),
        "[".repeat(101) + &"]".repeat(101),
    ] {
        assert_eq!(codes(&text), ["too-deep"], "{}", &text[..20]);
    }
    let deepest = "[".repeat(100) + &"]".repeat(100);
    assert!(load(&deepest).1.is_ok());
    insta::assert_snapshot!(problems(deepest.replace("[]", "[[]]")), @r#"1:101 "[" too-deep: nested more than 100 deep"#);
    for text in [
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "\"",
        "'",
        "?",
        ":",
        "-",
        ",",
        "#",
        "\u{FEFF}a",
        "\r",
        "&a &b c",
        "!<",
        "? ? ?",
    ] {
        let _ = problems(text);
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(99);
    let alphabet = b"ab:-?[]{}&*!|>'\"%@#,~ \t\r\n\\x0u1\xC3\xA4\xFF\xFE\0.";
    for _ in 0..20_000 {
        let length = random.below(40);
        let bytes: Vec<u8> = (0..length).map(|_| alphabet[random.below(alphabet.len())]).collect();
        let (sources, node) = load(&bytes);
        let places = match &node {
            Ok(node) => vec![sources.inside(node, 0..1)],
            Err(problems) => problems.iter().filter_map(|problem| problem.place).collect(),
        };
        for place in places {
            let text = sources.get(place.file).unwrap().text();
            assert!(
                text.get(place.start as usize..place.end as usize).is_some(),
                "{bytes:?} {place:?}"
            );
            assert_eq!(sources.location(place).file, "f.yaml");
        }
    }
}

#[test]
fn places_are_exact() {
    let text =
        "a: 'x'\nb:\n  - 1\n  -\n  - {c: d}\ne: |\n\n  f\n  g\nh:\ni: [k: 1]\nj: |\n\nl: >+\n\n";
    let (sources, node) = load(text);
    let node = node.unwrap();
    let mut out = String::new();
    let mut show = |name: &str, place: Place| {
        let at = &text[place.start as usize..place.end as usize];
        writeln!(out, "{name} {} {at:?}", sources.location(place)).unwrap();
    };
    for pointer in
        ["", "/a", "/b", "/b/0", "/b/1", "/b/2", "/b/2/c", "/e", "/h", "/i", "/i/0", "/j", "/l"]
    {
        show(pointer, node.pointer(pointer).unwrap().place);
    }
    show("key e", node.entry("e").unwrap().key_place);
    insta::assert_snapshot!(out, @r#"
     f.yaml:1:1 "a: 'x'\nb:\n  - 1\n  -\n  - {c: d}\ne: |\n\n  f\n  g\nh:\ni: [k: 1]\nj: |\n\nl: >+\n\n"
    /a f.yaml:1:4 "'x'"
    /b f.yaml:3:3 "- 1\n  -\n  - {c: d}"
    /b/0 f.yaml:3:5 "1"
    /b/1 f.yaml:4:3 "-"
    /b/2 f.yaml:5:5 "{c: d}"
    /b/2/c f.yaml:5:9 "d"
    /e f.yaml:8:3 "f\n  g\n"
    /h f.yaml:10:1 "h"
    /i f.yaml:11:4 "[k: 1]"
    /i/0 f.yaml:11:5 "k: 1"
    /j f.yaml:12:4 "|"
    /l f.yaml:14:4 ">+\n\n"
    key e f.yaml:6:1 "e"
    "#);
    assert!(
        ["x", "/b/01", "/b/+1", "/b/9", "/a/b", "/~1"].iter().all(|p| node.pointer(p).is_none())
    );
    assert_eq!(load("{a/b: {'~': 1}}").1.unwrap().pointer("/a~1b/~0").unwrap().as_int(), Some(1));
}

#[test]
fn locations_count_lines_and_characters() {
    let (sources, _) = load("ä😀x\r\ny\n");
    let at = |start| {
        let place = Place { file: FileId(0), start, end: start };
        let Location { line, column, .. } = sources.location(place);
        (line, column)
    };
    assert_eq!(
        [at(0), at(2), at(6), at(9), at(10), at(11), at(99)],
        [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (3, 1)]
    );
    let lost = Place { file: FileId(9), start: 0, end: 0 };
    assert_eq!(sources.location(lost).to_string(), "?:1:1");
}

#[test]
fn a_character_of_a_value_is_found_in_the_file() {
    let text = "a: >\n\n  if x\n  then ä\n\n  else\n   more\nb: 'it''s'\nc: \"\\u00e4\\uD83D\\uDE00\\\n   y\"\n";
    let (sources, node) = load(text);
    let node = node.unwrap();
    let at = |key: &str, word: &str| {
        let node = node.get(key).unwrap();
        let value = node.as_str().unwrap();
        let start = value[..value.find(word).unwrap()].chars().count();
        let place = sources.inside(node, start..start + word.chars().count());
        format!("{} {:?}", sources.location(place), &text[place.start as usize..place.end as usize])
    };
    insta::assert_snapshot!([at("a", "x then"), at("a", "ä"), at("a", "else"), at("a", "more"), at("b", "t's"), at("c", "ä"), at("c", "😀"), at("c", "y")].join("\n"), @r#"
    f.yaml:3:6 "x\n  then"
    f.yaml:4:8 "ä"
    f.yaml:6:3 "else"
    f.yaml:7:4 "more"
    f.yaml:8:6 "t''s"
    f.yaml:9:5 "\\u00e4"
    f.yaml:9:11 "\\uD83D\\uDE00"
    f.yaml:10:4 "y"
    "#);
    let word = node.get("b").unwrap();
    let empty = sources.inside(word, 1..1);
    let past = sources.inside(word, 9..12);
    assert_eq!((empty.start, empty.end - empty.start), (word.place.start + 2, 0));
    assert_eq!((past.start, past.end), (word.place.end - 1, word.place.end - 1));
    assert_eq!(sources.inside(&node, 0..1), node.place);
}

/// A xorshift generator: the same documents in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

fn random_json(random: &mut Random, depth: usize, out: &mut String) {
    let space = |random: &mut Random| random.pick(&["", "", "", " ", "\t", "\n", "\r\n\t", "  "]);
    out.push_str(space(random));
    match random.below(if depth > 4 { 5 } else { 8 }) {
        0 => out.push_str(random.pick(&["null", "true", "false"])),
        1 | 2 => out.push_str(random.pick(&[
            "0",
            "1",
            "-12",
            "3.25",
            "-1e3",
            "5E-2",
            "9007199254740993",
            "0.1",
        ])),
        3 | 4 => random_json_text(random, out),
        5 => {
            out.push('[');
            for i in 0..random.below(4) {
                out.push_str(if i > 0 { "," } else { "" });
                random_json(random, depth + 1, out);
            }
            out.push_str(space(random));
            out.push(']');
        }
        _ => {
            out.push('{');
            for i in 0..random.below(4) {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(space(random));
                // The number keeps keys unique.
                write!(out, "\"{i}").unwrap();
                let mut rest = String::new();
                random_json_text(random, &mut rest);
                out.push_str(&rest[1..]);
                out.push_str(space(random));
                out.push(':');
                random_json(random, depth + 1, out);
            }
            out.push_str(space(random));
            out.push('}');
        }
    }
    out.push_str(space(random));
}

fn random_json_text(random: &mut Random, out: &mut String) {
    out.push('"');
    for _ in 0..random.below(6) {
        out.push_str(random.pick(&[
            "a",
            "b c",
            " ",
            "ä",
            "😀",
            "\\n",
            "\\\"",
            "\\\\",
            "\\/",
            "\\u00e4",
            "\\ud83d\\ude00",
            ":",
            ": ",
            "#",
            " #",
            "'",
            "-",
            "\u{7F}",
            "\u{81}",
            "{",
            "]",
            ",",
            "\\t",
            "yes",
            "0755",
            "&a",
            "*",
            "%",
            "\u{2028}",
            "\u{FFFE}",
        ]));
    }
    out.push('"');
}

/// A scalar as it could be written, often well-formed.
fn random_scalar(random: &mut Random, indent: usize, newline: &str, out: &mut String) {
    let pad = " ".repeat(indent);
    let blank = |random: &mut Random| random.pick(&["", "", " ", "   "]);
    match random.below(5) {
        0 => {
            out.push_str(random.pick(&["w", "ä", "x:y", "a#b", "😀"]));
            for _ in 0..random.below(4) {
                match random.below(4) {
                    0 => write!(out, "{}{newline}{pad} z", blank(random)).unwrap(),
                    1 => write!(out, "{newline}{}{newline}{pad}  ü", blank(random)).unwrap(),
                    _ => out.push_str(random.pick(&[" b", "  c", "d", "'", "\\n", "é"])),
                }
            }
            out.push_str(newline);
        }
        style @ (1 | 2) => {
            let quote = if style == 1 { '\'' } else { '"' };
            out.push(quote);
            for _ in 0..random.below(7) {
                match random.below(8) {
                    0 => write!(out, "{}{newline}{pad} ", blank(random)).unwrap(),
                    1 => write!(out, "{newline}{}{newline}{pad}\t", blank(random)).unwrap(),
                    2 if style == 1 => out.push_str("''"),
                    2 => out.push_str(random.pick(&[
                        "\\n",
                        "\\t ",
                        "\\x41",
                        "\\u00e4",
                        "\\ud83d\\ude00",
                        "\\U0001F600",
                        "\\\"",
                        "\\\\",
                        "\\ ",
                    ])),
                    3 if style == 2 => {
                        write!(out, " \\{newline}{}{newline}{pad}  ", blank(random)).unwrap();
                    }
                    4 if style == 2 => write!(out, "\\{newline}{pad}").unwrap(),
                    _ => out.push_str(
                        random.pick(&["a", " ", "  ", "ä", "😀", "#", ": ", "x\u{7F}", "|", "q "]),
                    ),
                }
            }
            out.push(quote);
            out.push_str(newline);
        }
        style => {
            let step = 1 + random.below(4);
            let explicit = random.below(3) == 0;
            out.push(if style == 3 { '|' } else { '>' });
            let digit = if explicit { step.to_string() } else { String::new() };
            let chomp = random.pick(&["", "-", "+"]);
            let (first, second) =
                if random.below(2) == 0 { (&*digit, chomp) } else { (chomp, &*digit) };
            out.push_str(first);
            out.push_str(second);
            out.push_str(random.pick(&["", " # note | >", "  "]));
            out.push_str(newline);
            // The number in the header counts from the parent's indentation.
            let inner = " ".repeat((indent + step).saturating_sub(2));
            let mut first = true;
            for _ in 0..random.below(7) {
                match random.below(5) {
                    0 => out.push_str(&inner[..random.below(inner.len() + 1)]),
                    1 if !first || explicit => {
                        write!(out, "{inner}{}ä", random.pick(&[" ", "  ", "\t"])).unwrap();
                    }
                    kind => {
                        first = false;
                        write!(
                            out,
                            "{inner}{}",
                            random.pick(&["x", "y z", "😀 ü", "# no", "- a", "k: v ", "w\t"])
                        )
                        .unwrap();
                        if kind == 4 {
                            out.push_str("  ");
                        }
                    }
                }
                out.push_str(newline);
            }
        }
    }
}

fn random_document(random: &mut Random) -> String {
    let newline = random.pick(&["\n", "\n", "\r\n"]);
    let mut out = String::from(random.pick(&["", "", "# ä\n", "---\n"]));
    for i in 0..=random.below(4) {
        match random.below(3) {
            0 => {
                write!(out, "k{i}: ").unwrap();
                random_scalar(random, 2, newline, &mut out);
            }
            1 => {
                write!(out, "k{i}:{newline}  - ").unwrap();
                random_scalar(random, 4, newline, &mut out);
                out.push_str("  - ");
                random_scalar(random, 4, newline, &mut out);
            }
            _ => {
                write!(out, "k{i}:{newline}  m:{newline}    n: ").unwrap();
                random_scalar(random, 6, newline, &mut out);
            }
        }
    }
    if random.below(3) == 0 {
        out.truncate(out.trim_end_matches(['\r', '\n']).len());
    }
    out
}

fn check_texts(sources: &Sources, node: &Node, seen: &mut usize) {
    match &node.value {
        Value::List(nodes) => nodes.iter().for_each(|node| check_texts(sources, node, seen)),
        Value::Map(entries) => {
            for entry in entries {
                check_texts(sources, &entry.node, seen);
            }
        }
        Value::Text(value, style) if !value.is_empty() && value.chars().any(|c| c != '\n') => {
            let text = sources.get(node.place.file).unwrap().text();
            let pieces = scalar::decode(text, node.place, *style, value);
            let pieces =
                pieces.unwrap_or_else(|| panic!("no map: {style:?} {value:?} in {text:?}"));
            let mut last = 0;
            for (index, (character, piece)) in value.chars().zip(&pieces).enumerate() {
                let place = sources.inside(node, index..index + 1);
                assert_eq!((place.start as usize, place.end as usize), (piece.start, piece.end));
                assert!(piece.start >= last, "{value:?} in {text:?}");
                last = piece.end;
                let raw = &text[piece.start..piece.end];
                let ok = raw.chars().eq([character])
                    || (*style == Style::Double && raw.starts_with('\\'))
                    || (*style == Style::Single && raw == "''" && character == '\'')
                    || (matches!(raw, "\n" | "\r\n") && matches!(character, ' ' | '\n'))
                    || (raw.is_empty()
                        && character == '\n'
                        && index + 1 == pieces.len()
                        && piece.end == text.len());
                assert!(ok, "{character:?} is {raw:?} of {value:?} in {text:?}");
            }
            *seen += 1;
        }
        _ => {}
    }
}

#[test]
fn every_character_of_random_scalars_is_found() {
    let mut random = Random(42);
    let (mut accepted, mut seen) = (0, 0);
    // Two in five documents are well-formed.
    for _ in 0..50_000 {
        let text = random_document(&mut random);
        let (sources, node) = load(&text);
        if let Ok(node) = node {
            accepted += 1;
            check_texts(&sources, &node, &mut seen);
        }
    }
    assert!(accepted > 18_000 && seen > 45_000, "{accepted} documents, {seen} texts");
}

#[test]
fn values_are_those_of_the_second_reader() {
    let mut random = Random(4242);
    let mut compared = 0;
    for _ in 0..5_000 {
        let mut text = String::new();
        random_yaml(&mut random, 0, &mut text);
        let (_, ours) = load(&text);
        let theirs: Result<serde_json::Value, _> = serde_yaml::from_str(&text);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            assert_eq!(ours.to_json(), theirs, "{text}");
            compared += 1;
        }
    }
    assert!(compared > 3_500, "{compared}");
    let mut compared = 0;
    for _ in 0..20_000 {
        // libyaml adds no line feed to a block that ends with the file.
        let text = random_document(&mut random) + "\n";
        let (_, ours) = load(&text);
        let theirs: Result<serde_json::Value, _> = serde_yaml::from_str(&text);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            assert_eq!(ours.to_json(), theirs, "{text}");
            compared += 1;
        }
    }
    assert!(compared > 6_000, "{compared}");
}

fn random_yaml(random: &mut Random, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    let list = random.below(3) == 0;
    for i in 0..=random.below(3) {
        if list {
            write!(out, "{pad}-").unwrap();
        } else {
            write!(out, "{pad}{}{i}:", random.pick(&["key", "with space", "ä", "a-b"])).unwrap();
        }
        if depth < 4 && random.below(3) == 0 {
            out.push_str(random.pick(&["\n", "  # note\n"]));
            random_yaml(random, depth + 1, out);
        } else {
            out.push(' ');
            out.push_str(random.pick(&[
                "1",
                "-7",
                "1.5",
                "true",
                "null",
                "~",
                "",
                "text",
                "D:\\a b\\c.edb",
                "'single'",
                "\"d\\n\\u00e4\"",
                "[1, two, {a: b}]",
                "{}",
                "[]",
                "2009-05-04",
                "8.1.240.6",
                "0x1F",
                "1e3",
                "'yes'",
                "EX01/SG1/DB1",
                "- x",
                "a # b",
                "a#b",
                ".5",
                "+3",
                "!x",
                "9223372036854775807",
                "{a: 1, 'b': [c, d]}",
                "x: y",
            ]));
            out.push('\n');
        }
    }
}
