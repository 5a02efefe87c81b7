use serde_json::{Value as Json, json};

use super::{Import, Options, clixml};
use crate::diagnostic::Diagnostic;
use crate::source::Sources;

const OPEN: &str =
    r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#;

fn typed(name: &str, rest: &str) -> String {
    format!("<Obj><TN><T>{name}</T><T>System.Object</T></TN>{rest}</Obj>")
}

fn exchange(name: &str, members: &str) -> String {
    let of = "Microsoft.Exchange.Data.Directory.Management.ExchangeServer";
    typed(of, &format!(r#"<Props><S N="Name">{name}</S>{members}</Props>"#))
}

fn mailbox(name: &str, members: &str) -> String {
    let of = "Deserialized.Microsoft.Exchange.Data.Directory.Management.MailboxServer";
    typed(of, &format!(r#"<Props><S N="Name">{name}</S>{members}</Props>"#))
}

fn wmi(class: &str, members: &str) -> String {
    let of = format!(r"System.Management.ManagementObject#root\cimv2\{class}");
    typed(&of, &format!("<Props>{members}</Props>"))
}

fn import(files: &[&str], options: &Options) -> Result<Import, Vec<Diagnostic>> {
    let mut sources = Sources::default();
    let named = files.iter().zip(b'a'..);
    let ids = named.map(|(inner, letter)| {
        let text = format!("{OPEN}{inner}</Objs>");
        sources.add(format!("{}.xml", char::from(letter)), text.as_bytes()).unwrap()
    });
    let ids: Vec<_> = ids.collect();
    clixml(&sources, &ids, options)
}

fn at_noon() -> Options {
    Options { observed_at: Some("2009-05-04T12:00:00Z".to_owned()), ..Options::default() }
}

fn document(files: &[&str]) -> Json {
    import(files, &at_noon()).unwrap().document
}

fn server(files: &[&str]) -> Json {
    document(files)["exchange_servers"][0].clone()
}

fn refused(files: &[&str], options: &Options) -> Vec<&'static str> {
    import(files, options).unwrap_err().iter().map(|problem| problem.code).collect()
}

fn notes(files: &[&str], options: &Options) -> Vec<Option<String>> {
    import(files, options).unwrap().files.into_iter().map(|file| file.note).collect()
}

const SHOWN: &str = r#"<S N="AdminDisplayVersion">Version 8.1 (Build 240.6)</S>"#;

#[test]
fn a_server_of_the_exchange_shell_becomes_one() {
    let members = format!(
        r#"<S N="Fqdn">ex01.contoso.com</S>{SHOWN}
        <Obj N="Edition"><ToString>Enterprise</ToString><I32>3</I32></Obj>
        <Obj N="ServerRole"><ToString>Mailbox, ClientAccess, HubTransport</ToString><I32>38</I32></Obj>
        <S N="Site">contoso.com/Configuration/Sites/Berlin</S>"#
    );
    let expected = json!({
        "schema": "dpmguard.facts/v1",
        "observed_at": "2009-05-04T12:00:00Z",
        "collected": { "exchange_servers": { "by": "Export-Clixml" } },
        "exchange_servers": [{
            "name": "EX01",
            "fqdn": "ex01.contoso.com",
            "product": "exchange_2007",
            "display_version": "8.1.240.6",
            "edition": "enterprise",
            "roles": ["client_access", "hub_transport", "mailbox"],
            "site": "Berlin",
        }],
    });
    assert_eq!(document(&[&exchange("EX01", &members)]), expected);
}

#[test]
fn parts_of_a_version_are_better_than_its_text() {
    let parts = r#"<Obj N="AdminDisplayVersion"><ToString>odd</ToString><Props><I32 N="Major">14</I32>
        <I32 N="Minor">3</I32><I32 N="Build">123</I32><I32 N="Revision">4</I32></Props></Obj>"#;
    let found = server(&[&exchange("EX01", parts)]);
    assert_eq!(
        (&found["product"], &found["display_version"]),
        (&json!("exchange_2010"), &json!("14.3.123.4"))
    );
}

#[test]
fn what_has_no_word_is_left_out_with_a_warning() {
    let odd = r#"<S N="Edition">Platinum</S><S N="ServerRole">Mailbox, Barista</S><S N="AdminDisplayVersion">8.1</S>"#;
    let import = import(&[&exchange("EX01", odd)], &at_noon()).unwrap();
    assert_eq!(import.document["exchange_servers"], json!([{ "name": "EX01" }]));
    let codes: Vec<_> = import.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["foreign-value"; 3]);
}

#[test]
fn no_value_means_something_only_where_the_model_says_so() {
    let found = server(&[&mailbox(
        "EX01",
        r#"<Nil N="DatabaseAvailabilityGroup" /><Nil N="ServerRole" />"#,
    )]);
    assert_eq!(found, json!({ "name": "EX01", "cluster": null }));
    assert_eq!(server(&[&mailbox("EX01", "")]), json!({ "name": "EX01" }));
    let empty = server(&[&exchange("EX01", r#"<S N="Fqdn" /><Nil N="Site" />"#)]);
    assert_eq!(empty, json!({ "name": "EX01" }));
}

#[test]
fn an_availability_group_becomes_a_cluster() {
    let found = document(&[&mailbox("EX02", r#"<S N="DatabaseAvailabilityGroup">DAG1</S>"#)]);
    assert_eq!(found["exchange_servers"][0]["cluster"], "DAG1");
    assert_eq!(found["clusters"], json!([{ "name": "DAG1", "topology": "dag" }]));
}

#[test]
fn the_identity_of_a_cluster_is_no_computer() {
    let nodes = r#"<S N="ClusteredStorageType">NonShared</S>
        <Obj N="RedundantMachines"><LST><S>NODE2</S><S>NODE1</S></LST></Obj>"#;
    let os = wmi("Win32_OperatingSystem", r#"<S N="CSName">NODE1</S><S N="Version">5.2.3790</S>"#);
    let found = document(&[&exchange("CMS1", SHOWN), &mailbox("CMS1", nodes), &os]);
    assert_eq!(
        found["clustered_mailbox_servers"],
        json!([{ "name": "CMS1", "nodes": ["NODE1", "NODE2"] }])
    );
    assert_eq!(
        found["exchange_servers"],
        json!([{ "name": "NODE1", "os": { "version": "5.2.3790" } }])
    );
}

#[test]
fn windows_says_what_it_is_and_when() {
    let os = wmi(
        "Win32_OperatingSystem",
        r#"<S N="CSName">ex01</S><S N="Caption">Microsoft Windows Server 2003</S><S N="Version">5.2.3790</S>
        <U16 N="ServicePackMajorVersion">2</U16><S N="OSArchitecture">64-Bit</S>
        <S N="LastBootUpTime">20090501080000.500000+120</S><S N="LocalDateTime">20090504100000.000000+120</S>"#,
    );
    let computer =
        wmi("Win32_ComputerSystem", r#"<S N="Name">EX01</S><S N="SystemType">x64-based PC</S>"#);
    let found =
        import(&[&exchange("EX01", ""), &os, &computer], &Options::default()).unwrap().document;
    assert_eq!(found["observed_at"], "2009-05-04T10:00:00+02:00");
    let expected = json!([{
        "name": "EX01",
        "os": { "name": "Microsoft Windows Server 2003", "version": "5.2.3790", "service_pack": 2, "arch": "x64" },
        "last_boot_at": "2009-05-01T08:00:00+02:00",
    }]);
    assert_eq!(found["exchange_servers"], expected);
    // An observation said to be newer than the server's own clock does not make the facts fresher.
    let later = import(&[&exchange("EX01", ""), &os], &at_noon()).unwrap().document;
    assert_eq!(later["collected"]["exchange_servers"]["at"], "2009-05-04T10:00:00+02:00");
}

#[test]
fn hotfixes_of_all_exports_are_united() {
    let fix = |id: &str| {
        wmi(
            "Win32_QuickFixEngineering",
            &format!(r#"<S N="CSName">EX01</S><S N="HotFixID">{id}</S>"#),
        )
    };
    let (first, second) = (format!("{}{}", fix("KB940349"), fix("File 1")), fix("KB936181-v2"));
    let found = server(&[&exchange("EX01", ""), &first, &second, &first]);
    assert_eq!(found["hotfixes"], json!(["KB936181-v2", "KB940349"]));
}

const EXSETUP: &str = r#"<Obj><TN><T>System.Diagnostics.FileVersionInfo</T></TN><Props>
    <S N="FileName">D:\Exchange\bin\ExSetup.exe</S><S N="FileVersion">08.01.0436.000</S></Props>
    <MS><Version N="FileVersionRaw">8.1.436.0</Version></MS></Obj>"#;

#[test]
fn a_file_without_a_server_is_of_the_only_one() {
    let files = [&*exchange("EX01", ""), EXSETUP];
    let found = server(&files);
    assert_eq!(
        (&found["version"], &found["install_path"]),
        (&json!("8.1.436.0"), &json!(r"D:\Exchange"))
    );
    assert_eq!(
        notes(&files, &at_noon())[1].as_deref(),
        Some("taken as from `EX01`, the only server in these files")
    );
    // A second server, of whatever kind, makes it uncertain.
    let os = wmi("Win32_OperatingSystem", r#"<S N="CSName">DPM01</S><S N="Version">6.0.6002</S>"#);
    let three = [files[0], EXSETUP, &os];
    assert_eq!(server(&three), json!({ "name": "EX01" }));
    let said = notes(&three, &at_noon());
    assert_eq!(
        said[1].as_deref(),
        Some("left out what does not say its server: name it with `--server`")
    );
    assert!(
        said[2]
            .as_deref()
            .unwrap()
            .starts_with("left out `DPM01`: nothing says that it has Exchange")
    );
    let named = Options { server: Some("ex01.contoso.com".to_owned()), ..at_noon() };
    let found = import(&three, &named).unwrap();
    assert_eq!(found.document["exchange_servers"][0]["version"], "8.1.436.0");
    assert_eq!(found.files[1].note.as_deref(), Some("taken as from `ex01`, as `--server` says"));
}

#[test]
fn a_command_holds_the_version_of_its_file() {
    let inner = EXSETUP.replacen("<Obj>", r#"<Obj N="FileVersionInfo">"#, 1);
    let command = typed(
        "System.Management.Automation.ApplicationInfo",
        &format!(r#"<Props>{inner}<S N="FileName">D:\Exchange\bin\ExSetup.exe</S></Props>"#),
    );
    assert_eq!(server(&[&exchange("EX01", ""), &command])["version"], "8.1.436.0");
}

#[test]
fn services_are_told_by_name() {
    let service = |name: &str, state: &str| {
        wmi(
            "Win32_Service",
            &format!(r#"<S N="SystemName">EX01</S><S N="Name">{name}</S><S N="State">{state}</S>"#),
        )
    };
    let all = [
        service("MSExchangeIS", "Running"),
        service("VSS", "Stop Pending"),
        service("Spooler", "Running"),
    ]
    .concat();
    let import = import(&[&exchange("EX01", ""), &all], &at_noon()).unwrap();
    assert_eq!(
        import.document["exchange_servers"][0]["services"],
        json!({ "msexchangeis": "running", "vss": "stop_pending" })
    );
    assert_eq!((import.files[1].mapped, import.files[1].objects), (2, 3));
    assert_eq!(import.files[1].note.as_deref(), Some("no mapping for `Win32_Service`"));
    let controller = typed(
        "System.ServiceProcess.ServiceController",
        r#"<Props><S N="MachineName">.</S><Obj N="Status"><ToString>Stopped</ToString><I32>1</I32></Obj></Props>
           <MS><S N="Name">MSExchangeRepl</S></MS>"#,
    );
    assert_eq!(
        server(&[&exchange("EX01", ""), &controller])["services"],
        json!({ "msexchangerepl": "stopped" })
    );
}

#[test]
fn a_pending_restart_is_believed_only_when_found() {
    let looked = |pending: bool| {
        typed(
            "System.Management.Automation.PSCustomObject",
            &format!(
                r#"<MS><B N="PendingReboot">{pending}</B><Obj N="PendingRebootLocations"><LST /></Obj></MS>"#
            ),
        )
    };
    assert_eq!(server(&[&exchange("EX01", ""), &looked(true)])["reboot_pending"], true);
    assert_eq!(server(&[&exchange("EX01", ""), &looked(false)]), json!({ "name": "EX01" }));
}

#[test]
fn names_differ_in_case_and_domain_only_by_looks() {
    let two = exchange("EX01", r#"<S N="Fqdn">ex01.contoso.com</S>"#);
    let one = exchange("ex01", r#"<S N="Fqdn">EX01.contoso.com</S>"#);
    let os = wmi(
        "Win32_OperatingSystem",
        r#"<S N="CSName">Ex01.contoso.com</S><S N="Version">5.2.3790</S>"#,
    );
    for files in [[&*one, &*two, &*os], [&os, &two, &one]] {
        let found = document(&files);
        assert_eq!(found["exchange_servers"].as_array().unwrap().len(), 1);
        assert_eq!(found["exchange_servers"][0]["name"], "EX01");
        assert_eq!(found["exchange_servers"][0]["fqdn"], "EX01.contoso.com");
    }
}

#[test]
fn contradictions_are_shown_with_both_places() {
    let version = |text: &str| {
        exchange("EX01", &format!(r#"<S N="AdminDisplayVersion">Version {text})</S>"#))
    };
    let problems =
        import(&[&version("8.1 (Build 240.6"), &version("8.2 (Build 176.2")], &at_noon())
            .unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "`display_version` of `EX01` has two values: `8.1.240.6` and `8.2.176.2`"
    );
    let files: Vec<_> = problems[0]
        .place
        .iter()
        .chain(problems[0].related.iter().map(|(place, _)| place))
        .map(|place| place.file)
        .collect();
    assert_eq!(files.len(), 2);
    assert_ne!(files[0], files[1]);
    // A group and none are two values as well.
    let group = |value: &str| mailbox("EX01", value);
    let (none, some) = (
        group(r#"<Nil N="DatabaseAvailabilityGroup" />"#),
        group(r#"<S N="DatabaseAvailabilityGroup">DAG1</S>"#),
    );
    assert_eq!(refused(&[&none, &some], &at_noon()), ["conflicting-facts"]);
}

#[test]
fn the_order_of_files_changes_nothing() {
    let os = wmi("Win32_OperatingSystem", r#"<S N="CSName">EX01</S><S N="Version">5.2.3790</S>"#);
    let (one, two) = (exchange("EX01", SHOWN), exchange("EX02", SHOWN));
    assert_eq!(document(&[&one, &two, &os]).to_string(), document(&[&os, &two, &one]).to_string());
}

#[test]
fn the_time_of_observation_must_be_known() {
    assert_eq!(refused(&[&exchange("EX01", "")], &Options::default()), ["observed-at-missing"]);
    let wrong =
        Options { observed_at: Some("4 May 2009".to_owned()), server: Some(".".to_owned()) };
    assert_eq!(refused(&[&exchange("EX01", "")], &wrong), ["wrong-option", "wrong-option"]);
}

#[test]
fn nothing_to_import_is_said_file_by_file() {
    let files = [&*typed("System.String[]", "").repeat(2), "<S>text</S><Nil />", ""];
    let problems = import(&files, &at_noon()).unwrap_err();
    assert_eq!(problems[0].code, "nothing-imported");
    assert_eq!(
        problems[0].help,
        [
            "`a.xml`: no mapping for 2 of `System.String[]`",
            "`b.xml`: no mapping for `bare text`, `null`",
            "`c.xml`: the export is empty",
        ]
    );
}

#[test]
fn the_problems_of_all_files_are_shown_at_once() {
    assert_eq!(refused(&["<S>", "<!DOCTYPE a>"], &at_noon()), ["malformed-xml", "dtd-refused"]);
}

#[test]
fn a_list_stands_for_its_items() {
    let list = typed(
        "System.Object[]",
        &format!("<LST>{}{}<S>x</S></LST>", exchange("EX01", ""), exchange("EX02", "")),
    );
    let import = import(&[&list], &at_noon()).unwrap();
    assert_eq!(
        import.document["exchange_servers"],
        json!([{ "name": "EX01" }, { "name": "EX02" }])
    );
    assert_eq!((import.files[0].objects, import.files[0].mapped), (3, 2));
    // A list in itself has no end, and is not walked.
    let circle =
        r#"<Obj RefId="0"><TN><T>System.Object[]</T></TN><LST><Ref RefId="0" /></LST></Obj>"#;
    assert_eq!(refused(&[circle], &at_noon()), ["nothing-imported"]);
}

#[test]
fn older_servers_have_a_version_and_no_roles() {
    let old = r#"<S N="AdminDisplayVersion">Version 6.5 (Build 7638.2: Service Pack 2)</S><S N="ServerRole">None</S>"#;
    let import = import(&[&exchange("EX03", old)], &at_noon()).unwrap();
    let expected =
        json!([{ "name": "EX03", "product": "exchange_2003", "display_version": "6.5.7638.2" }]);
    assert_eq!(import.document["exchange_servers"], expected);
    assert_eq!(import.warnings, []);
}

#[test]
fn a_flood_of_odd_values_is_counted() {
    let many: Vec<String> =
        (0..50).map(|n| exchange(&format!("EX{n}"), r#"<S N="Edition">?</S>"#)).collect();
    let warnings = import(&[&many.concat()], &at_noon()).unwrap().warnings;
    assert_eq!(warnings.len(), 20);
    assert_eq!(warnings[19].help, ["30 more like these in this file"]);
}

#[test]
fn what_is_written_reads_back_the_same() {
    let site = |name: &str| {
        exchange("EX01", &format!(r#"<Obj N="Site"><MS><S N="Name">{name}</S></MS></Obj>"#))
    };
    for name in [
        "NO",
        "on",
        "y",
        "null",
        "1e3",
        "12:30",
        "2009-05-04",
        "8.1",
        "0x1F",
        "a: b",
        "#",
        "'",
        "~",
        "\\",
        "Köln",
        "- a",
        "1_0",
        "=",
        "|",
    ] {
        let document = document(&[&site(name)]);
        assert_eq!(document["exchange_servers"][0]["site"], name);
        let text = crate::source::to_yaml(&document);
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", text.as_bytes()).unwrap();
        assert_eq!(crate::source::read(&sources, file).unwrap().to_json(), document, "{text}");
    }
}
