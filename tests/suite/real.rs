//! The main job on facts that nobody invented: exports of real Exchange servers, where they are beside
//! the project (`../shared/data/real`; not part of it), united with a small DPM fact file.

use std::fs;

use crate::support::{files, root, run};

const DPM: &str = "schema: dpmguard.facts/v1
observed_at: 2021-09-30T12:00:00Z
complete: [dpm_servers, agents]
dpm_servers:
  - name: DPM01
    version: \"10.19.260.0\"
    edition: x64
    eseutil: { present: true, version: \"15.2.792.3\", machine: x64 }
    ese_dll: { present: true, version: \"15.2.792.3\", machine: x64 }
agents:
  - { dpm_server: DPM01, server: SOLO-E19A, version: \"10.19.260.0\", enabled: true, reachable: true }
";

#[test]
fn real_exports_are_imported_and_judged() {
    let exports = root().join("../shared/data/real/clixml");
    if !exports.exists() {
        println!("skipped: {} is not there", exports.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (imported, dpm) = (folder.path().join("exchange.yaml"), folder.path().join("dpm.yaml"));
    let (imported, dpm) = (imported.display().to_string(), dpm.display().to_string());
    fs::write(&dpm, DPM).unwrap();
    let names: Vec<String> = files(&exports, "xml")
        .iter()
        .map(|path| path.display().to_string())
        .filter(|path| path.contains("/E19-"))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let mut args = vec!["facts", "import", "clixml", "--out", &imported];
    args.extend(names.iter().map(String::as_str));
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The exact version as the export of exsetup.exe writes it: `15.02.0986.005`.
    let setup = fs::read_to_string(exports.join("E19-ExSetup.xml")).unwrap();
    let written = setup.split("N=\"FileVersion\">").nth(1).unwrap().split('<').next().unwrap();
    let numbers: Vec<String> =
        written.split('.').map(|part| part.parse::<u32>().unwrap().to_string()).collect();
    let version = numbers.join(".");
    // One server's export does not say that there is no other: that one declares it by hand.
    let open = run(&[
        "check",
        &imported,
        &dpm,
        "--now",
        "observed",
        "--only",
        "exchange-newer-than-eseutil",
    ]);
    assert_eq!(open.code, 3, "{}", open.out);
    let text = fs::read_to_string(&imported).unwrap();
    let text = text.replacen(
        "exchange_servers:\n-",
        "complete: [exchange_servers]\nexchange_servers:\n-",
        1,
    );
    fs::write(&imported, text).unwrap();
    let ran = run(&[
        "check",
        &imported,
        &dpm,
        "--now",
        "observed",
        "--only",
        "exchange-newer-than-eseutil",
    ]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for part in [version.as_str(), "15.2.792.3", "SOLO-E19A", "exchange.yaml:"] {
        assert!(ran.out.contains(part), "the report does not say `{part}`:\n{}", ran.out);
    }
}
