use std::fmt::Write;

use super::{Kept, Kind, Node, Value, date_time, read, wmi_date};
use crate::diagnostic::{Diagnostic, FileId};
use crate::source::Sources;

const OPEN: &str =
    r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#;

fn objs(inner: &str) -> String {
    format!("{OPEN}{inner}</Objs>")
}

/// What `look` makes of each top level value, and the warnings.
fn all<T>(
    text: &str,
    mut look: impl FnMut(&Kept<'_>, &Node<'_>) -> T,
) -> Result<(Vec<T>, Vec<Diagnostic>), Diagnostic> {
    let mut seen = Vec::new();
    let warnings = read(FileId(0), text, &mut |kept, node| seen.push(look(kept, node)))?;
    Ok((seen, warnings))
}

/// A value in one line.
fn show(kept: &Kept<'_>, node: &Node<'_>) -> String {
    match &node.value {
        Value::Nil => "nil".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(kind, text) => format!("{kind:?} {text:?}"),
        Value::Unread => "unread".to_owned(),
        Value::Ref(_) => match kept.object(node) {
            Some(object) => format!("-> {:?}", object.text),
            None => "-> ?".to_owned(),
        },
        Value::Object(object) => {
            let mut said = format!("{} {:?}", object.type_name(), object.text);
            if let Some(primitive) = &object.primitive {
                write!(said, " = {}", show(kept, primitive)).unwrap();
            }
            let members = |list: &[super::Member<'_>]| -> Vec<String> {
                list.iter().map(|m| format!("{}: {}", m.name, show(kept, &m.node))).collect()
            };
            let items = object.items.as_ref();
            let items = items.map(|list| list.iter().map(|n| show(kept, n)).collect::<Vec<_>>());
            let pairs = object.entries.iter();
            let pairs: Vec<_> =
                pairs.map(|(k, v)| format!("{} => {}", show(kept, k), show(kept, v))).collect();
            write!(
                said,
                " MS{:?} P{:?} {items:?} {pairs:?}",
                members(&object.extended),
                members(&object.adapted)
            )
            .unwrap();
            said
        }
    }
}

fn shown(inner: &str) -> Vec<String> {
    let (seen, warnings) = all(&objs(inner), show).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    seen
}

fn one(inner: &str) -> String {
    let mut seen = shown(inner);
    assert_eq!(seen.len(), 1);
    seen.pop().unwrap()
}

fn refused(text: &str) -> Diagnostic {
    all(text, |_, _| ()).unwrap_err()
}

fn codes(inner: &str) -> Vec<&'static str> {
    let (_, warnings) = all(&objs(inner), |_, _| ()).unwrap();
    warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn each_primitive_is_read_for_what_it_is() {
    let cases = [
        ("<S>a b</S>", r#"Text "a b""#),
        ("<S> a </S>", r#"Text " a ""#),
        ("<S />", r#"Text """#),
        ("<S></S>", r#"Text """#),
        ("<Nil />", "nil"),
        ("<C>65</C>", r#"Char "A""#),
        ("<B>true</B>", "true"),
        ("<By>255</By>", "255"),
        ("<SB>-128</SB>", "-128"),
        ("<U16>65535</U16>", "65535"),
        ("<I16>-420</I16>", "-420"),
        ("<U32>4294967295</U32>", "4294967295"),
        ("<I32>-2147483648</I32>", "-2147483648"),
        ("<U64>18446744073709551615</U64>", "18446744073709551615"),
        ("<I64>36028797018963969</I64>", "36028797018963969"),
        ("<Sg>1.5</Sg>", r#"Number "1.5""#),
        ("<Db>5.7870370370370366E-05</Db>", r#"Number "5.7870370370370366E-05""#),
        ("<Db>-INF</Db>", r#"Number "-INF""#),
        ("<D>79228162514264337593543950335</D>", r#"Number "79228162514264337593543950335""#),
        ("<DT>2021-09-28T17:32:01Z</DT>", r#"DateTime "2021-09-28T17:32:01Z""#),
        ("<TS>P10675199DT2H48M5.4775807S</TS>", r#"TimeSpan "P10675199DT2H48M5.4775807S""#),
        ("<TS>PT9M</TS>", r#"TimeSpan "PT9M""#),
        (
            "<G>59ce2f71-eaa2-4ddf-a4fa-f25069d0b324</G>",
            r#"Guid "59ce2f71-eaa2-4ddf-a4fa-f25069d0b324""#,
        ),
        ("<URI>http://host/a</URI>", r#"Uri "http://host/a""#),
        ("<Version>15.2.986.5</Version>", r#"Version "15.2.986.5""#),
        ("<XD>&lt;a /&gt;</XD>", r#"Xml "<a />""#),
        ("<SBK>{ 1 }</SBK>", r#"Script "{ 1 }""#),
        ("<BA>AAEC</BA>", "unread"),
        ("<SS>01000000d08c9ddf</SS>", "unread"),
        ("<PR><AV>x</AV><AI>1</AI></PR>", "unread"),
    ];
    for (element, expected) in cases {
        assert_eq!(one(element), expected, "{element}");
    }
}

#[test]
fn text_is_decoded_once_and_wholly() {
    let cases = [
        ("a_x000D__x000A_b", "a\r\nb"),
        ("_x005F_x000A_", "_x000A_"),
        ("_x005F_xD83D_", "_xD83D_"),
        ("_xD83D__xDE00_", "\u{1F600}"),
        ("_xd83d__xde00_", "\u{1F600}"),
        ("_xD83D_x", "\u{FFFD}x"),
        ("_xDE00__xD83D_", "\u{FFFD}\u{FFFD}"),
        ("_x12_ _x_ _x000 _xZZZZ_", "_x12_ _x_ _x000 _xZZZZ_"),
        ("_x00e9_é®_xé12_", "éé®_xé12_"),
        ("&lt;&amp;&gt;&quot;&apos;&#65;&#x42;", "<&>\"'AB"),
        ("&amp;lt;", "&lt;"),
        ("a<![CDATA[<b>]]>c", "a<b>c"),
        ("a<!-- no -->b", "ab"),
        ("a\r\nb", "a\nb"),
    ];
    for (text, expected) in cases {
        assert_eq!(one(&format!("<S>{text}</S>")), format!("Text {expected:?}"), "{text}");
    }
    let named = one(r#"<Obj><MS><I32 N="Build_x0020_number (short)">1</I32></MS></Obj>"#);
    assert!(named.contains("Build number (short): 1"), "{named}");
}

#[test]
fn malformed_values_are_left_out_with_a_warning_at_their_place() {
    for element in [
        "<I32>2147483648</I32>",
        "<I32>1.5</I32>",
        "<I32 />",
        "<By>-1</By>",
        "<B>yes</B>",
        "<C>x</C>",
        "<Db>1,5</Db>",
        "<Db>infinity</Db>",
        "<Db />",
        "<D>x</D>",
        "<DT>2/27/2020</DT>",
        "<DT />",
        "<TS>9 min</TS>",
        "<G>x</G>",
        "<Version>8.1 SP1</Version>",
    ] {
        let (seen, warnings) = all(&objs(element), show).unwrap();
        assert_eq!(seen, ["unread"], "{element}");
        assert_eq!(warnings.len(), 1, "{element}");
        assert_eq!(warnings[0].code, "malformed-value");
        let place = warnings[0].place.unwrap();
        let text = objs(element);
        let end =
            if element.ends_with("/>") { element.len() } else { place.end as usize - OPEN.len() };
        assert_eq!(&text[place.start as usize..place.end as usize], &element[..end], "{element}");
    }
}

#[test]
fn warnings_of_a_kind_are_told_once() {
    let (_, warnings) = all(&objs(&"<B>maybe</B>".repeat(1000)), |_, _| ()).unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].help, ["999 more like it in this file"]);
}

#[test]
fn members_of_powershell_hide_those_of_the_object() {
    let text = objs(
        r#"<Obj RefId="0"><Props><S N="InstalledOn">2/27/2020</S><S N="Other">p</S></Props>
           <MS><DT N="InstalledOn">2020-02-27T00:00:00</DT></MS></Obj>"#,
    );
    let (seen, _) = all(&text, |kept, node| {
        let object = kept.object(node).unwrap();
        let get = |name: &str| object.member(name).map(|member| show(kept, member));
        (get("installedon"), get("Other"), get("Nothing"), object.adapted.len())
    })
    .unwrap();
    let (installed, other, nothing, adapted) = seen[0].clone();
    assert_eq!(installed.as_deref(), Some(r#"DateTime "2020-02-27T00:00:00""#));
    assert_eq!(other.as_deref(), Some(r#"Text "p""#));
    assert_eq!((nothing, adapted), (None, 2));
}

#[test]
fn enumerations_keep_name_and_number() {
    let text = objs(
        r#"<Obj RefId="1"><TN RefId="0"><T>Deserialized.Selected.Some.Kind</T><T>System.Enum</T></TN>
           <ToString>Second</ToString><I32>2</I32></Obj>"#,
    );
    let (seen, _) = all(&text, |kept, node| {
        let object = kept.object(node).unwrap();
        let number = matches!(kept.plain(node), Value::Int(2));
        (
            object.type_name().to_owned(),
            kept.text(node).map(str::to_owned),
            number,
            object.types.len(),
        )
    })
    .unwrap();
    assert_eq!(seen, [("Some.Kind".to_owned(), Some("Second".to_owned()), true, 2)]);
}

#[test]
fn lists_and_dictionaries_hold_what_they_hold() {
    for list in ["LST", "STK", "QUE", "IE"] {
        let said = one(&format!("<Obj><{list}><S>a</S><Nil /><I32>1</I32></{list}></Obj>"));
        assert!(said.contains(r#"Some(["Text \"a\"", "nil", "1"])"#), "{said}");
    }
    assert!(one("<Obj><LST /></Obj>").contains("Some([])"));
    assert!(one("<Obj><Props /></Obj>").contains("None"));
    let said = one(r#"<Obj><DCT><En><S N="Key">k</S><I32 N="Value">1</I32></En></DCT></Obj>"#);
    assert!(said.contains(r#"["Text \"k\" => 1"]"#), "{said}");
    let both = one(r#"<Obj><IE><S>a</S></IE><Props><I32 N="Count">1</I32></Props></Obj>"#);
    assert!(both.contains("Count: 1") && both.contains("Some("), "{both}");
}

#[test]
fn types_are_shared_by_reference() {
    let inner = r#"<Obj RefId="0"><TN RefId="0"><T>A</T><T>B</T></TN></Obj><Obj RefId="1"><TNRef RefId="0" /></Obj>"#;
    let seen = shown(inner);
    assert!(seen.iter().all(|said| said.starts_with("A ")), "{seen:?}");
}

#[test]
fn references_lead_back_forward_and_in_circles() {
    let back = shown(r#"<Obj RefId="7"><ToString>t</ToString></Obj><Ref RefId="7" />"#);
    assert_eq!(back[1], r#"-> Some("t")"#);
    let ahead = one(
        r#"<Obj RefId="0"><MS><Ref N="a" RefId="1" /><Obj N="b" RefId="1"><ToString>t</ToString></Obj></MS></Obj>"#,
    );
    assert!(ahead.contains(r#"a: -> Some(\"t\")"#), "{ahead}");
    let circle = one(
        r#"<Obj RefId="0"><ToString>drive</ToString><MS><Obj N="provider" RefId="1"><ToString>p</ToString>
           <MS><Ref N="drive" RefId="0" /><Ref N="self" RefId="1" /></MS></Obj></MS></Obj>"#,
    );
    assert!(circle.contains("drive: -> Some(") && circle.contains("self: -> Some("), "{circle}");
}

#[test]
fn references_to_nothing_and_duplicate_ids_are_warned_of() {
    assert_eq!(codes(r#"<Ref RefId="9" />"#), ["unresolved-reference"]);
    assert_eq!(codes(r#"<Obj><TNRef RefId="9" /></Obj>"#), ["unresolved-reference"]);
    let inner = r#"<Obj RefId="1"><ToString>a</ToString></Obj><Obj RefId="1"><ToString>b</ToString></Obj><Ref RefId="1" />"#;
    assert_eq!(codes(inner), ["duplicate-ref-id"]);
    let (seen, warnings) = all(&objs(inner), show).unwrap();
    assert_eq!(seen[2], r#"-> Some("b")"#);
    assert_eq!(warnings[0].related.len(), 1);
    let types = r#"<Obj><TN RefId="1"><T>A</T></TN></Obj><Obj><TN RefId="1"><T>B</T></TN></Obj><Obj><TNRef RefId="1" /></Obj>"#;
    let (seen, warnings) = all(&objs(types), show).unwrap();
    assert!(seen[2].starts_with("B "), "{seen:?}");
    assert_eq!(warnings[0].code, "duplicate-ref-id");
    // Ids of objects and ids of types are counted apart.
    assert!(codes(r#"<Obj RefId="1"><TN RefId="1"><T>A</T></TN></Obj>"#).is_empty());
}

#[test]
fn binary_data_is_skipped() {
    let said =
        one(r#"<Obj><MS><BA N="SerializationData">AAEA%%%</BA><BA N="Other">x</BA></MS></Obj>"#);
    assert!(!said.contains("SerializationData") && said.contains("Other: unread"), "{said}");
}

#[test]
fn nothing_at_the_top_level_is_no_problem() {
    for text in
        [format!("{OPEN}</Objs>"), OPEN.replace('>', " />"), format!("\n{}\n<!-- -->\n", objs(" "))]
    {
        let (seen, warnings) = all(&text, |_, _| ()).unwrap();
        assert!(seen.is_empty() && warnings.is_empty(), "{text}");
    }
    let declared = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n{}", objs("<S>a</S>"));
    assert_eq!(all(&declared, show).unwrap().0.len(), 1);
}

#[test]
fn what_the_format_does_not_have_is_left_out_with_a_warning() {
    assert_eq!(codes("<Odd><S>a</S></Odd>"), ["unknown-element"]);
    assert_eq!(codes("<Obj><Odd><Obj/></Odd></Obj>"), ["unknown-element"]);
    assert_eq!(codes("<Obj><Props><S>a</S></Props></Obj>"), ["nameless-member"]);
    assert_eq!(codes(r#"<Obj><DCT><En><S N="Key">a</S></En></DCT></Obj>"#), ["nameless-member"]);
}

#[test]
fn other_files_are_named_as_such() {
    for text in [
        "",
        " \n",
        "a: b",
        "{}",
        "name,value\n",
        "<?xml version='1.0'?><Config/>",
        "<Objs xmlns='other'/>",
        "<a",
        "&amp;",
    ] {
        let problem = refused(text);
        assert_eq!(problem.code, "not-clixml", "{text}");
        assert!(problem.place.is_some(), "{text}");
    }
}

#[test]
fn cut_off_files_are_named_as_such() {
    let whole =
        objs(r#"<Obj RefId="0"><TN RefId="0"><T>A</T></TN><MS><S N="a">b &amp; c</S></MS></Obj>"#);
    for end in OPEN.len()..whole.len() {
        let problem = refused(&whole[..end]);
        let in_entity = whole[..end].rsplit('&').next().is_some_and(|tail| "amp".starts_with(tail));
        if !in_entity {
            assert_eq!(problem.code, "truncated-file", "{}", &whole[..end]);
        }
        assert!(problem.place.is_some());
    }
    let problem = refused(&whole[..OPEN.len() + 15]);
    assert_eq!(problem.message, "the file is cut off: `Obj` is never closed");
}

#[test]
fn broken_markup_is_refused_at_its_place() {
    for inner in [
        "<S>a",
        "<S>a</I32>",
        "<S><S>a</S></S>",
        "<S>&unknown;</S>",
        "<S>&#0;</S>",
        "<S>a & b</S>",
        "text",
        "<Obj>text</Obj>",
        "<Obj><Props>text</Props></Obj>",
        "</Objs><Objs>",
        "<S N=a>x</S>",
        "<S N='&bad;'>x</S>",
    ] {
        let problem = refused(&objs(inner));
        assert!(
            ["malformed-xml", "truncated-file"].contains(&problem.code),
            "{inner}: {problem:?}"
        );
        assert!(problem.place.is_some(), "{inner}");
    }
}

#[test]
fn type_definitions_are_refused() {
    let bomb = "<!DOCTYPE Objs [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    assert_eq!(refused(&format!("{bomb}{}", objs("<S>&b;</S>"))).code, "dtd-refused");
    assert_eq!(refused(&objs("<!DOCTYPE x><S>a</S>")).code, "dtd-refused");
}

#[test]
fn nesting_has_an_end() {
    let nested = |elements: &str, depth: usize| {
        let mut names: Vec<&str> = elements.split("><").collect();
        let open = format!("<{elements}>");
        names.reverse();
        let close = format!("</{}>", names.join("></"));
        objs(&format!("{}{}", open.repeat(depth), close.repeat(depth)))
    };
    for element in ["Obj", "Obj><LST", "Obj><DCT><En", "Odd"] {
        assert_eq!(refused(&nested(element, 10_000)).code, "too-deep", "{element}");
    }
    assert!(all(&nested("Obj><LST", 100), |_, _| ()).is_ok());
    assert_eq!(refused(&nested("Obj><LST", 101)).code, "too-deep");
}

#[test]
fn long_chains_of_references_end_well() {
    let mut inner = String::new();
    for id in 1..20_000 {
        write!(inner, r#"<Obj RefId="{id}"><MS><Ref N="next" RefId="{}" /></MS></Obj>"#, id - 1)
            .unwrap();
    }
    assert_eq!(codes(&inner), ["unresolved-reference"]);
}

#[test]
fn places_are_those_of_the_file() {
    let text = format!("{OPEN}\r\n  <S>é</S>\r\n  <I32>x</I32>\r\n</Objs>");
    let mut sources = Sources::default();
    let file = sources.add("a.xml", text.as_bytes()).unwrap();
    let warnings = read(file, sources.get(file).unwrap().text(), &mut |_, _| ()).unwrap();
    let location = sources.location(warnings[0].place.unwrap());
    assert_eq!(location.to_string(), "a.xml:3:3");
}

#[test]
fn instants_need_an_offset_and_a_possible_date() {
    assert_eq!(wmi_date("20210929115907.020592-420").as_deref(), Some("2021-09-29T11:59:07-07:00"));
    assert_eq!(wmi_date("20090504180000.000000+000").as_deref(), Some("2009-05-04T18:00:00+00:00"));
    assert_eq!(wmi_date("20090504180000.000000+330").as_deref(), Some("2009-05-04T18:00:00+05:30"));
    for text in [
        "",
        "20210929******.******+***",
        "20210231115907.020592-420",
        "00000001000000.000000:000",
        "20210929115907.020592",
        "2021é929115907.020592-420",
    ] {
        assert_eq!(wmi_date(text), None, "{text}");
    }
    assert_eq!(
        date_time("2021-09-29T12:21:36.1010000-07:00").as_deref(),
        Some("2021-09-29T12:21:36-07:00")
    );
    assert_eq!(date_time("2021-09-28T17:32:01Z").as_deref(), Some("2021-09-28T17:32:01Z"));
    for text in [
        "2021-09-28T17:32:01",
        "2020-02-27T00:00:00",
        "0001-01-01T00:00:00Z",
        "2021-13-28T17:32:01Z",
        "2/27/2020",
        "ééééééééééééééé",
    ] {
        assert_eq!(date_time(text), None, "{text}");
    }
}

#[test]
fn kinds_of_text_are_told_apart() {
    let (seen, _) = all(&objs("<G>59ce2f71-eaa2-4ddf-a4fa-f25069d0b324</G>"), |kept, node| {
        matches!(kept.plain(node), Value::Text(Kind::Guid, _))
    })
    .unwrap();
    assert_eq!(seen, [true]);
}
