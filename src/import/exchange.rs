//! Which property of which exported object is which fact.
//!
//! A table, so that it can become data. The first row that fits an object counts.

use super::clixml::{Kept, Node, Object, Value};
use super::convert::{Answer, Convert, server_name};
use crate::diagnostic::{Diagnostic, Place};

/// How objects of some types become facts about a server.
pub(super) struct Mapping {
    /// Names of the types; of a WMI or CIM object the class.
    types: &'static [&'static str],
    /// What has to be so besides.
    when: &'static [Test],
    /// The member that is meant; empty for the object itself.
    within: &'static str,
    /// What it says of the server that it is about.
    about: About,
    /// Members that name the server, the most reliable first.
    server: &'static [&'static str],
    fields: &'static [Field],
}

/// What an object says of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// That it is an Exchange server.
    Exchange,
    /// Nothing: any Windows computer has such objects.
    Windows,
}

/// What an object must be like.
enum Test {
    /// It has a member of that name.
    Has(&'static str),
    /// A member has that text; case does not count.
    Is(&'static str, &'static str),
    /// A member is a path to a file of that name.
    File(&'static str, &'static str),
}

/// A property and the fact that it is.
struct Field {
    /// Name of the member; empty for the object itself.
    property: &'static str,
    /// Path of the fact within the server, or one of the marks below.
    fact: &'static str,
    convert: Convert,
}

/// Mark: when the object was read.
pub(super) const OBSERVED: &str = "@observed";
/// Mark: the name is the identity of a cluster and no computer.
pub(super) const CLUSTERED: &str = "@clustered";

const fn field(property: &'static str, fact: &'static str, convert: Convert) -> Field {
    Field { property, fact, convert }
}

/// Where WMI objects say which computer they are from. `PSComputerName` comes last: it is what the
/// caller typed.
const WMI: &[&str] = &["CSName", "__SERVER", "SystemName", "PSComputerName"];

const EXSETUP: &[Field] = &[
    field("", "version", Convert::FileVersion),
    field("FileName", "install_path", Convert::InstallPath),
];

/// What each service's state is.
const INFORMATION_STORE: &str = "services.msexchangeis";
const REPLICATION: &str = "services.msexchangerepl";
const SHADOW_COPY: &str = "services.vss";

/// `Get-Service`.
const fn controller(when: &'static [Test], fields: &'static [Field]) -> Mapping {
    Mapping {
        types: &["System.ServiceProcess.ServiceController"],
        when,
        within: "",
        about: About::Windows,
        server: &["MachineName", "PSComputerName"],
        fields,
    }
}

/// `Win32_Service`.
const fn service(when: &'static [Test], fields: &'static [Field]) -> Mapping {
    Mapping {
        types: &["Win32_Service"],
        when,
        within: "",
        about: About::Windows,
        server: WMI,
        fields,
    }
}

const MAPPINGS: &[Mapping] = &[
    // The computer in `PSComputerName` of what the Exchange shell gives is the one asked, not the one
    // meant: it is no name here.
    Mapping {
        types: &["Microsoft.Exchange.Data.Directory.Management.ExchangeServer"],
        when: &[],
        within: "",
        about: About::Exchange,
        server: &["Name"],
        fields: &[
            field("Fqdn", "fqdn", Convert::Name),
            field("AdminDisplayVersion", "product", Convert::Product),
            field("AdminDisplayVersion", "display_version", Convert::ShownVersion),
            field("Edition", "edition", Convert::Edition),
            field("ServerRole", "roles", Convert::Roles),
            field("Site", "site", Convert::Site),
            field("IsMemberOfCluster", CLUSTERED, Convert::Member),
        ],
    },
    Mapping {
        types: &["Microsoft.Exchange.Data.Directory.Management.MailboxServer"],
        when: &[],
        within: "",
        about: About::Exchange,
        server: &["Name"],
        fields: &[
            field("AdminDisplayVersion", "product", Convert::Product),
            field("AdminDisplayVersion", "display_version", Convert::ShownVersion),
            field("ServerRole", "roles", Convert::Roles),
            field("DatabaseAvailabilityGroup", "cluster", Convert::Group),
            field("ClusteredStorageType", CLUSTERED, Convert::ClusteredStorage),
            field("RedundantMachines", "nodes", Convert::Servers),
        ],
    },
    Mapping {
        types: &["System.Diagnostics.FileVersionInfo"],
        when: &[Test::File("FileName", "ExSetup.exe")],
        within: "",
        about: About::Windows,
        server: &["PSComputerName"],
        fields: EXSETUP,
    },
    // `Get-Command exsetup` as it is.
    Mapping {
        types: &["System.Management.Automation.ApplicationInfo"],
        when: &[Test::File("FileName", "ExSetup.exe")],
        within: "FileVersionInfo",
        about: About::Windows,
        server: &["PSComputerName"],
        fields: EXSETUP,
    },
    Mapping {
        types: &["Win32_QuickFixEngineering"],
        when: &[],
        within: "",
        about: About::Windows,
        server: WMI,
        fields: &[field("HotFixID", "hotfixes", Convert::Hotfix)],
    },
    Mapping {
        types: &["Win32_OperatingSystem"],
        when: &[],
        within: "",
        about: About::Windows,
        server: WMI,
        fields: &[
            field("Caption", "os.name", Convert::Text),
            field("Version", "os.version", Convert::Version),
            field("ServicePackMajorVersion", "os.service_pack", Convert::Small),
            field("LastBootUpTime", "last_boot_at", Convert::Instant),
            field("LocalDateTime", OBSERVED, Convert::Instant),
        ],
    },
    Mapping {
        types: &["Win32_ComputerSystem"],
        when: &[],
        within: "",
        about: About::Windows,
        server: &["Name", "__SERVER", "PSComputerName"],
        fields: &[field("SystemType", "os.arch", Convert::SystemType)],
    },
    // What the HealthChecker script of microsoft/CSS-Exchange keeps of its look at the registry.
    Mapping {
        types: &["System.Management.Automation.PSCustomObject"],
        when: &[Test::Has("PendingReboot"), Test::Has("PendingRebootLocations")],
        within: "",
        about: About::Windows,
        server: &["PSComputerName"],
        fields: &[field("PendingReboot", "reboot_pending", Convert::OnlyTrue)],
    },
    controller(
        &[Test::Is("Name", "MSExchangeIS")],
        &[field("Status", INFORMATION_STORE, Convert::ServiceState)],
    ),
    controller(
        &[Test::Is("Name", "MSExchangeRepl")],
        &[field("Status", REPLICATION, Convert::ServiceState)],
    ),
    controller(&[Test::Is("Name", "VSS")], &[field("Status", SHADOW_COPY, Convert::ServiceState)]),
    service(
        &[Test::Is("Name", "MSExchangeIS")],
        &[field("State", INFORMATION_STORE, Convert::ServiceState)],
    ),
    service(
        &[Test::Is("Name", "MSExchangeRepl")],
        &[field("State", REPLICATION, Convert::ServiceState)],
    ),
    service(&[Test::Is("Name", "VSS")], &[field("State", SHADOW_COPY, Convert::ServiceState)]),
];

/// What one object says.
#[derive(Debug)]
pub(super) struct Report {
    /// What it says of its server.
    pub(super) about: About,
    /// The host part of its server's name, if it says it.
    pub(super) server: Option<String>,
    /// Its facts.
    pub(super) found: Vec<Found>,
}

/// A fact found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path within the server, or a mark.
    pub(super) fact: &'static str,
    /// Its value.
    pub(super) value: serde_json::Value,
    /// The property that says so.
    pub(super) place: Place,
}

/// What an object says; none if there is no mapping for it.
pub(super) fn map<'t>(
    kept: &Kept<'t>,
    node: &Node<'t>,
    warnings: &mut Vec<Diagnostic>,
) -> Option<Report> {
    let object = kept.object(node)?;
    let mapping = MAPPINGS.iter().find(|mapping| mapping.fits(kept, object))?;
    let server = mapping.server.iter().find_map(|name| server_name(kept, object.member(name)?));
    let subject = match mapping.within {
        "" => node,
        name => object.member(name)?,
    };
    let about = kept.object(subject)?;
    let mut found = Vec::new();
    for field in mapping.fields {
        let property =
            if field.property.is_empty() { Some(subject) } else { about.member(field.property) };
        let Some(property) = property else { continue };
        match field.convert.apply(kept, property) {
            Answer::Fact(value) => {
                found.push(Found { fact: field.fact, value, place: property.place });
            }
            Answer::Absent => {}
            Answer::Foreign => warnings.push(foreign(kept, field, property)),
        }
    }
    Some(Report { about: mapping.about, server: server.map(str::to_owned), found })
}

impl Mapping {
    fn fits<'t>(&self, kept: &Kept<'t>, object: &Object<'t>) -> bool {
        let class = class(object.type_name());
        let text = |name: &str| kept.text(object.member(name)?);
        self.types.contains(&class)
            && self.when.iter().all(|test| match test {
                Test::Has(name) => object.member(name).is_some(),
                Test::Is(name, expected) => {
                    text(name).is_some_and(|text| text.eq_ignore_ascii_case(expected))
                }
                Test::File(name, expected) => {
                    let file = text(name).and_then(|path| path.rsplit('\\').next());
                    file.is_some_and(|file| file.eq_ignore_ascii_case(expected))
                }
            })
    }
}

/// The class of a WMI or CIM object, which is named `...#root\cimv2\Win32_Service`; else the type.
fn class(type_name: &str) -> &str {
    match type_name.split_once('#') {
        Some((_, path)) => path.rsplit(['\\', '/']).next().unwrap_or(path),
        None => type_name,
    }
}

/// What a top level value is called in a summary.
pub(super) fn describe<'t>(kept: &Kept<'t>, node: &Node<'t>) -> String {
    let name = kept.object(node).map(|object| class(object.type_name()));
    let what = match (name, &node.value) {
        (Some(""), _) => "object without a type",
        (Some(name), _) => name,
        (None, Value::Nil) => "null",
        (None, Value::Text(..)) => "bare text",
        _ => "bare value",
    };
    what.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn foreign<'t>(kept: &Kept<'t>, field: &Field, property: &Node<'t>) -> Diagnostic {
    let shown: Option<String> =
        kept.text(property).map(|text| text.chars().filter(|c| !c.is_control()).take(60).collect());
    let said = shown.map(|text| format!(" from `{text}`")).unwrap_or_default();
    let name = if field.property.is_empty() { "the object" } else { field.property };
    let message = format!("cannot tell `{}`{said}; it is left out", field.fact);
    Diagnostic::warning("foreign-value", message).at(property.place).label(format!("of `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::{MAPPINGS, class};

    #[test]
    fn classes_are_the_same_however_they_were_asked_for() {
        for name in [
            r"System.Management.ManagementObject#root\cimv2\Win32_OperatingSystem",
            "System.Management.ManagementObject#Win32_OperatingSystem",
            "Microsoft.Management.Infrastructure.CimInstance#ROOT/cimv2/Win32_OperatingSystem",
        ] {
            assert_eq!(class(name), "Win32_OperatingSystem");
        }
        assert_eq!(class("System.String"), "System.String");
    }

    #[test]
    fn each_mapping_names_its_types_and_what_it_takes() {
        for mapping in MAPPINGS {
            assert!(!mapping.types.is_empty() && !mapping.fields.is_empty(), "{:?}", mapping.types);
            assert!(!mapping.server.is_empty(), "{:?}", mapping.types);
        }
    }
}
