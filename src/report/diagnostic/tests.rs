//! What diagnostics look like, and that nothing makes the drawing fail.

use super::*;
use crate::diagnostic::FileId;

fn sources(texts: &[&str]) -> Sources {
    let mut sources = Sources::default();
    for (index, text) in texts.iter().enumerate() {
        let _ = sources.add(format!("f{index}.yaml"), text.as_bytes());
    }
    sources
}

fn place(file: u32, start: u32, end: u32) -> Place {
    Place { file: FileId(file), start, end }
}

fn error(file: u32, start: u32, end: u32) -> Diagnostic {
    Diagnostic::error("some-code", "something `is` wrong").at(place(file, start, end))
}

#[test]
fn places_labels_and_help_are_drawn() {
    let sources = sources(&["a: 1\nb: two\nc: 3\n", "x: ä y\r\n"]);
    let one = error(0, 8, 11)
        .label("expected a number")
        .related(place(0, 0, 1), "the first one")
        .related(place(1, 3, 5), "and `here`")
        .help("write a number")
        .help("or leave it out");
    let two = Diagnostic::warning("other", "no place").help("so what");
    let three = error(0, 5, 6).related(place(0, 8, 11), "this");
    insta::assert_snapshot!(render(&[one.clone(), two.clone(), three], &sources, false), @r#"
    warning[other]: no place
     |
     = help: so what

    error[some-code]: something `is` wrong
     --> f0.yaml:2:1
      |
    2 | b: two
      | ^  --- this

    error[some-code]: something `is` wrong
     --> f0.yaml:2:4
      |
    1 | a: 1
      | - the first one
    2 | b: two
      |    ^^^ expected a number
      |
     ::: f1.yaml:1:4
      |
    1 | x: ä y
      |    - and `here`
      |
      = help: write a number
      = help: or leave it out
    "#);
    insta::assert_snapshot!(plain(&one, &sources), @"f0.yaml:2:4: error[some-code]: something `is` wrong");
    insta::assert_snapshot!(plain(&two, &sources), @"warning[other]: no place");
    assert!(render(&[one], &sources, true).contains("\u{1b}["));
    assert_eq!(render(&[], &sources, false), "");
}

#[test]
fn odd_lines_are_drawn() {
    let long = format!("{}X{}\n", "ab ".repeat(1_000), " cd".repeat(1_000));
    let sources = sources(&[
        "a:\n  - 1\n  - 2\n",
        "\ta:\t漢字 x\r\nb\r\n",
        "",
        &long,
        "a: \u{1b}[31m\u{202e}b",
    ]);
    let all = [
        error(0, 5, 13),
        error(1, 11, 12),
        error(1, 4, 10),
        error(1, 15, 15),
        error(2, 0, 0).label("empty"),
        error(3, 3_000, 3_001).label("here"),
        error(4, 3, 9),
    ];
    insta::assert_snapshot!(render(&all, &sources, false), @r#"
    error[some-code]: something `is` wrong
     --> f0.yaml:2:3
      |
    2 |   - 1
      |   ^^^

    error[some-code]: something `is` wrong
     --> f1.yaml:1:5
      |
    1 |     a:    漢字 x
      |           ^^^^

    error[some-code]: something `is` wrong
     --> f1.yaml:1:8
      |
    1 |     a:    漢字 x
      |                ^

    error[some-code]: something `is` wrong
     --> f1.yaml:2:2
      |
    2 | b
      |  ^

    error[some-code]: something `is` wrong
     --> f2.yaml:1:1
      |
    1 |
      | ^ empty

    error[some-code]: something `is` wrong
     --> f3.yaml:1:3001
      |
    1 | ...b ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab X cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd ...
      |                                                                  ^ here

    error[some-code]: something `is` wrong
     --> f4.yaml:1:4
      |
    1 | a: ␛[31m�b
      |    ^^^^^^
    "#);
}

#[test]
fn no_place_makes_it_panic() {
    let long = "ä漢\t".repeat(2_000);
    let texts = ["", "\n", "\r\n\r\n", "a\rb\r", "ä\n漢字", "x", "\n\n\n", &long];
    let sources = sources(&texts);
    for (file, text) in (0u32..).zip(texts) {
        let length = u32::try_from(text.len()).unwrap();
        for start in (0..length.min(30) + 3).chain(length.saturating_sub(3)..length + 3) {
            for end in [0, start, start + 1, start + 2, start + 7, length, u32::MAX] {
                let one = error(file, start, end).label("l").related(place(file, end, start), "r");
                assert!(render(std::slice::from_ref(&one), &sources, false).contains("some-code"));
                assert!(plain(&one, &sources).ends_with("wrong"));
            }
        }
    }
    let lost = error(99, 3, 4).related(place(98, 0, 1), "r");
    insta::assert_snapshot!(render(std::slice::from_ref(&lost), &sources, false), @"error[some-code]: something `is` wrong");
}

#[test]
fn a_thousand_in_a_large_file_are_drawn() {
    let lines = "key: value and more of it\n".repeat(400_000);
    let one_line = lines.replace('\n', " ");
    for text in [&lines, &one_line] {
        let sources = sources(&[text]);
        let all: Vec<_> = (0..1_000).map(|i| error(0, i * 10_000, i * 10_000 + 3)).collect();
        assert_eq!(render(&all, &sources, false).matches("some-code").count(), 1_000);
    }
}
