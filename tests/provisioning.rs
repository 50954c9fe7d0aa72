//! The provisioning plan run, not read: its PowerShell goes through a grammar that nobody here wrote and is executed
//! against a stand-in for Exchange that keeps what the cmdlets make and counts each change.
//!
//! `EMAIL_LOGGING_POWERSHELL_PYTHON` names a Python that has `tree-sitter` and `tree-sitter-powershell`. Where PowerShell
//! itself is on the path, it reads the scripts as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use email_logging::setup::{
    AppAccess, AppCredential, AppRegistration, Destination, MailApi, Narrowing, PlanNames,
    ProvisioningPlan,
};
use email_logging::source::{FolderPath, FolderRoot};
use proptest::prelude::*;
use serde_json::{Value, json};
use skipped::skipped;

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const OBJECT: &str = "66666666-7777-8888-9999-000000000000";
const ACCOUNT: &str = "o'hara@corp.example";
const SHARED: &str = "log@corp.example";

/// The Python that runs PowerShell, unless there is none and none is required.
fn python() -> Option<String> {
    let python = std::env::var("EMAIL_LOGGING_POWERSHELL_PYTHON").ok();
    if python.is_none() {
        skipped("EMAIL_LOGGING_POWERSHELL_PYTHON is not set");
    }
    python
}

fn folder(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/provisioning").join(name)
}

fn run(python: &str, case: &Value) -> Value {
    attempt(python, case).expect("every construct of the scripts is one that runs")
}

/// `None` where a script uses something that the runner, or the grammar, does not take.
fn attempt(python: &str, case: &Value) -> Option<Value> {
    let mut child = Command::new(python)
        .arg(folder("run.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().unwrap();
    input.write_all(case.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let taken = output.status.success();
    taken.then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn online_shared() -> ProvisioningPlan {
    ProvisioningPlan::online(ACCOUNT, Destination::shared_mailbox(SHARED))
        .with_administrator("admin@corp.example")
        .with_narrowing(Narrowing::ApplicationRole {
            client_id: CLIENT.to_owned(),
            object_id: OBJECT.to_owned(),
            api: MailApi::Ews,
        })
        .with_ews_allowed(CLIENT)
        .build()
        .unwrap()
}

fn online_folders() -> ProvisioningPlan {
    ProvisioningPlan::online(ACCOUNT, Destination::default_public_folders())
        .with_narrowing(Narrowing::AccessPolicy {
            client_id: CLIENT.to_owned(),
        })
        .build()
        .unwrap()
}

fn on_premises_folders() -> ProvisioningPlan {
    let path = |last| {
        FolderPath::new(
            FolderRoot::PublicFolders,
            ["ERP", "Log`ging $(x)", "O\u{2019}Hara's", last],
        )
    };
    let destination = Destination::PublicFolders {
        queue: path("Queue"),
        storage: path("Storage"),
    };
    ProvisioningPlan::on_premises("mail01.corp.example", ACCOUNT, destination)
        .with_narrowing(Narrowing::Impersonation)
        .build()
        .unwrap()
}

fn on_premises_shared() -> ProvisioningPlan {
    let destination = Destination::shared_mailbox(SHARED);
    ProvisioningPlan::on_premises("mail01.corp.example", ACCOUNT, destination)
        .build()
        .unwrap()
}

fn plans() -> [(&'static str, ProvisioningPlan); 4] {
    [
        ("online, shared mailbox", online_shared()),
        ("online, public folders", online_folders()),
        ("on premises, public folders", on_premises_folders()),
        ("on premises, shared mailbox", on_premises_shared()),
    ]
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect()
}

fn lines(plan: &ProvisioningPlan, done: &str) -> Vec<String> {
    plan.steps()
        .iter()
        .map(|step| format!("{}: {done}", step.id()))
        .collect()
}

#[test]
fn a_plan_that_runs_twice_changes_nothing_the_second_time_and_its_undoing_leaves_nothing() {
    let Some(python) = python() else { return };
    for (name, plan) in plans() {
        let scripts = [
            plan.check_script(),
            plan.script(),
            plan.script(),
            plan.check_script(),
            plan.undo_script(),
            plan.undo_script(),
        ];
        let results = run(&python, &json!({ "scripts": scripts }));
        let result = |at: usize| {
            let result = &results[at];
            assert_eq!(
                result["error"],
                Value::Null,
                "{name}, script {at}: {result}"
            );
            result
        };
        assert_eq!(result(1)["warnings"], json!([]), "{name}");
        assert!(
            strings(&result(1)["changes"]).len() >= plan.steps().len() - 1,
            "{name}"
        );
        for unchanged in [0, 2, 3, 5] {
            assert_eq!(
                result(unchanged)["changes"],
                json!([]),
                "{name}, script {unchanged}"
            );
        }
        assert_eq!(
            strings(&result(3)["output"]),
            lines(&plan, "True"),
            "{name}"
        );
        let left = &result(4)["state"];
        for (noun, things) in left.as_object().unwrap() {
            if let Some(things) = things.as_array() {
                assert!(things.is_empty(), "{name}: {noun} {things:?}");
            }
        }
        let own = plan.steps()[0].undo().is_some();
        assert_eq!(left["connected"], json!(!own), "{name}");
    }
}

#[test]
fn a_check_script_says_step_by_step_what_is_missing() {
    let Some(python) = python() else { return };
    let plan = online_folders();
    let results = run(&python, &json!({ "scripts": [plan.check_script()] }));
    let mut expected = lines(&plan, "False");
    expected[0] = "connect: True".to_owned();
    assert_eq!(strings(&results[0]["output"]), expected);
}

#[test]
fn each_step_turns_its_own_check_and_none_before_it() {
    let Some(python) = python() else { return };
    for (name, plan) in plans() {
        let mut scripts = Vec::new();
        for step in plan.steps() {
            scripts.extend([
                step.check().to_owned(),
                step.apply(),
                step.check().to_owned(),
            ]);
        }
        let connect = plan.steps()[0].apply();
        let results = run(
            &python,
            &json!({ "scripts": ([vec![connect], scripts].concat()) }),
        );
        for (at, step) in plan.steps().iter().enumerate() {
            let outcome = |of: usize| &results[1 + 3 * at + of];
            let before = if at == 0 { "True" } else { "False" };
            assert_eq!(
                outcome(0)["output"],
                json!([before]),
                "{name}: {}",
                step.id()
            );
            assert_eq!(outcome(1)["error"], Value::Null, "{name}: {}", step.id());
            assert_eq!(
                outcome(2)["output"],
                json!(["True"]),
                "{name}: {}",
                step.id()
            );
        }
    }
}

#[test]
fn the_rules_copy_to_the_address_that_exchange_gave_to_the_queue() {
    let Some(python) = python() else { return };
    let results = run(&python, &json!({ "scripts": [online_folders().script()] }));
    let state = &results[0]["state"];
    assert_eq!(
        state["MailPublicFolder"][0]["RequireSenderAuthenticationEnabled"],
        json!(false)
    );
    let rules: Vec<_> = (0..2)
        .map(|at| {
            let rule = &state["TransportRule"][at];
            let value = |key: &str| rule[key].as_str().unwrap().to_owned();
            assert_eq!(rule["BlindCopyTo"], json!(["queue-2@tenant.example"]));
            [value("Name"), value("FromScope"), value("SentToScope")]
        })
        .collect();
    assert_eq!(
        rules,
        [
            [
                "Log Email Sent to This Organization",
                "NotInOrganization",
                "InOrganization"
            ],
            [
                "Log Email Sent from This Organization",
                "InOrganization",
                "NotInOrganization"
            ],
        ]
    );
    let permissions = |at: usize| &state["PublicFolder"][at]["Permissions"];
    assert_eq!(
        state["PublicFolder"][1]["Identity"],
        json!("\\Email Logging\\Queue")
    );
    assert_eq!(
        permissions(1),
        &json!({ "anonymous": "CreateItems", "default": "Author", ACCOUNT: "Owner" })
    );
    assert_eq!(
        permissions(2),
        &json!({ "anonymous": "None", "default": "Author", ACCOUNT: "Owner" })
    );
}

#[test]
fn what_differs_is_repaired_and_what_others_made_stays() {
    let Some(python) = python() else { return };
    let plan = online_shared();
    let others = json!({
        "organization": { "EwsAllowedAppIDs": "99999999-0000-0000-0000-000000000000" },
        "things": { "TransportRule": [{
            "Name": "Log Email Sent to This Organization", "FromScope": "NotInOrganization", "Mode": "Audit",
            "SentToScope": "InOrganization", "BlindCopyTo": ["old@corp.example", SHARED], "State": "Disabled",
        }], "ManagementScope": [{
            "Name": "Email Logging mailbox", "RecipientFilter": "PrimarySmtpAddress -eq 'xlog@corp.example'",
        }] },
        "scripts": [plan.script(), plan.script(), plan.undo_script()],
    });
    let results = run(&python, &others);
    let state = &results[0]["state"];
    assert_eq!(strings(&results[0]["warnings"]).len(), 1);
    assert_eq!(state["TransportRule"][0]["BlindCopyTo"], json!([SHARED]));
    assert_eq!(state["TransportRule"][0]["State"], json!("Enabled"));
    assert_eq!(state["TransportRule"][0]["Mode"], json!("Enforce"));
    assert_eq!(
        state["ManagementScope"][0]["RecipientFilter"],
        json!("PrimarySmtpAddress -eq 'log@corp.example'")
    );
    let both = format!("99999999-0000-0000-0000-000000000000,{CLIENT}");
    assert_eq!(state["organization"]["EwsAllowedAppIDs"], json!(both));
    assert_eq!(results[1]["changes"], json!([]));
    let undone = &results[2]["state"];
    assert_eq!(undone["organization"]["EwsAllowedAppIDs"], json!(both));
    let rules = undone["TransportRule"].as_array().unwrap();
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert_eq!(
        rules[0]["Name"],
        json!("Log Email Sent to This Organization")
    );
}

#[test]
fn what_is_of_another_kind_or_of_somebody_else_stops_the_plan() {
    let Some(python) = python() else { return };
    let online = |user: &str| json!({ "ConnectionId": "other", "State": "Connected", "UserPrincipalName": user });
    let premises = json!({
        "ConfigurationName": "Microsoft.Exchange", "State": "Opened", "Name": "x", "ComputerName": "mail02.corp.example",
    });
    let group = |kind: &str, members: Value| {
        json!({ "DistributionGroup": [{
            "Name": PlanNames::default().access_group, "RecipientTypeDetails": kind, "Members": members,
        }] })
    };
    let assignment = |assignee: Value| {
        let mut held = json!({ "Name": PlanNames::default().assignment, "Role": "Application EWS.AccessAsApp" });
        held["CustomResourceScope"] = json!(PlanNames::default().scope);
        for (key, value) in assignee.as_object().unwrap() {
            held[key] = value.clone();
        }
        json!({ "ManagementRoleAssignment": [held] })
    };
    let rule = json!({ "TransportRule": [{
        "Name": PlanNames::default().incoming_rule, "FromScope": "NotInOrganization", "Mode": "Enforce",
        "SentToScope": "InOrganization", "BlindCopyTo": [SHARED], "State": "Enabled", "Exceptions": ["one"],
    }] });
    let none = || json!([]);
    let shared = online_shared();
    for (plan, things, sessions, says) in [
        (
            &shared,
            json!({}),
            json!([online("b@corp.example")]),
            "another way",
        ),
        (
            &on_premises_shared(),
            json!({}),
            json!([premises]),
            "another way",
        ),
        (
            &online_folders(),
            group("MailUniversalDistributionGroup", none()),
            none(),
            "no security group",
        ),
        (
            &online_folders(),
            group("MailUniversalSecurityGroup", json!(["ceo@corp.example"])),
            none(),
            "other members",
        ),
        (
            &shared,
            assignment(json!({ "App": CLIENT, "RoleAssigneeName": CLIENT })),
            none(),
            "another application",
        ),
        (
            &on_premises_folders(),
            assignment(json!({ "User": SHARED })),
            none(),
            "another application",
        ),
        (&shared, rule, none(), "has exceptions"),
    ] {
        let case = json!({ "things": things, "sessions": sessions, "scripts": [plan.script()] });
        let results = run(&python, &case);
        let error = results[0]["error"].as_str().unwrap_or_default();
        assert!(error.contains(says), "{says}: {}", results[0]);
    }
}

#[test]
fn somebody_else_who_signs_in_changes_nothing() {
    let Some(python) = python() else { return };
    let case = json!({ "signs_in": "b@corp.example", "scripts": [online_shared().script()] });
    let results = run(&python, &case);
    let error = results[0]["error"].as_str().unwrap();
    assert!(error.contains("another way"), "{error}");
    assert_eq!(results[0]["changes"], json!([]));
}

#[test]
fn undoing_leaves_what_others_use() {
    let Some(python) = python() else { return };
    let plan = online_shared();
    let case = json!({
        "organization": { "IsDehydrated": false },
        "sessions": [{ "ConnectionId": "own", "State": "Connected", "UserPrincipalName": "admin@corp.example" }],
        "things": { "ManagementRoleAssignment": [{
            "Name": "Theirs", "Role": "Application Mail.Send", "App": OBJECT, "RoleAssigneeName": OBJECT,
        }] },
        "scripts": [plan.script(), plan.undo_script()],
    });
    let results = run(&python, &case);
    let left = &results[1]["state"];
    assert_eq!(left["ServicePrincipal"][0]["ObjectId"], json!(OBJECT));
    assert_eq!(
        left["ManagementRoleAssignment"].as_array().unwrap().len(),
        1
    );
    assert_eq!(left["TransportRule"], json!([]));
}

#[test]
fn an_organisation_keeps_the_public_folder_mailbox_that_it_has() {
    let Some(python) = python() else { return };
    let plan = online_folders();
    let case = json!({
        "things": {
            "Mailbox": [{
                "Name": "Theirs", "RecipientTypeDetails": "PublicFolderMailbox", "Permissions": {}, "Items": 0,
            }],
            "RoleGroup": [{
                "Name": PlanNames::default().role_group, "Roles": "Mail Enabled Public Folders", "Members": [],
            }],
        },
        "scripts": [plan.script(), plan.undo_script()],
    });
    let results = run(&python, &case);
    assert_eq!(results[0]["error"], Value::Null);
    let roles = &results[0]["state"]["RoleGroup"][0]["Roles"];
    assert_eq!(
        roles,
        &json!(["Mail Enabled Public Folders", "Public Folders"])
    );
    for result in [0, 1] {
        let mailboxes = results[result]["state"]["Mailbox"].as_array().unwrap();
        assert_eq!(mailboxes.len(), 1, "{mailboxes:?}");
        assert_eq!(mailboxes[0]["Name"], json!("Theirs"));
    }
}

#[test]
fn undoing_leaves_alone_what_holds_mail() {
    let Some(python) = python() else { return };
    for (plan, folder, noun, left) in [
        (
            online_folders(),
            "\\Email Logging\\Storage",
            "PublicFolder",
            2,
        ),
        (online_shared(), SHARED, "Mailbox", 1),
    ] {
        let case = json!({
            "scripts": [plan.script(), plan.undo_script()],
            "items": [{ "after": 1, "folder": folder, "count": 3 }],
        });
        let results = run(&python, &case);
        assert_eq!(results[1]["error"], Value::Null);
        let kept = results[1]["state"][noun].as_array().unwrap();
        assert_eq!(kept.len(), left, "{kept:?}");
        assert!(!strings(&results[1]["warnings"]).is_empty());
    }
}

#[test]
fn an_organisation_that_keeps_its_folders_elsewhere_stops_the_plan_before_it_makes_any() {
    let Some(python) = python() else { return };
    let case = json!({
        "organization": { "PublicFoldersEnabled": "Remote", "IsDehydrated": false },
        "things": { "Mailbox": [{ "Name": "Theirs", "RecipientTypeDetails": "PublicFolderMailbox" }] },
        "scripts": [online_folders().script()],
    });
    let results = run(&python, &case);
    let error = results[0]["error"].as_str().unwrap();
    assert!(error.contains("PublicFoldersEnabled is Remote"), "{error}");
    assert_eq!(results[0]["state"]["PublicFolder"], json!([]));
    assert_eq!(results[0]["state"]["TransportRule"], json!([]));
}

#[test]
fn the_runner_refuses_what_it_does_not_check() {
    let Some(python) = python() else { return };
    let runs = |script: &str| attempt(&python, &json!({ "scripts": [script] })).is_some();
    assert!(runs(
        "if (-not ($false)) { Connect-ExchangeOnline -ErrorAction Stop -ShowBanner:$false }"
    ));
    for script in [
        "New-PublicFolder -Name 'a\u{2019}; b' -Path 'c'",
        "New-PublicFolder -Name 'a",
        "Write-Output \"$(Get-Mailbox)\"",
        "Connect-ExchangeOnline -Nothing 'x' -ErrorAction Stop",
        "Connect-ExchangeOnline -ShowBanner:$false",
        "Remove-Everything -Identity 'x'",
        "while ($true) { Get-PSSession }",
        "Write-Output $unset",
        "& 'x'",
    ] {
        assert!(!runs(script), "{script}");
    }
}

#[test]
fn powershell_itself_reads_the_scripts_where_there_is_one() {
    let parse = "$errors = $null; [void][System.Management.Automation.Language.Parser]::ParseInput([Console]::In.ReadToEnd(), [ref]$null, [ref]$errors); exit $errors.Count";
    for (name, plan) in plans() {
        for script in [plan.script(), plan.check_script(), plan.undo_script()] {
            let mut pwsh = Command::new("pwsh");
            let started = pwsh
                .args(["-NoProfile", "-Command", parse])
                .stdin(Stdio::piped())
                .spawn();
            let Ok(mut child) = started else {
                eprintln!("pwsh is not on the path: only the grammar read the scripts");
                return;
            };
            let mut input = child.stdin.take().unwrap();
            input.write_all(script.as_bytes()).unwrap();
            drop(input);
            assert!(child.wait().unwrap().success(), "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever a name holds, it arrives in Exchange as it is and nothing of it is run.
    #[test]
    fn names_survive_as_they_are(
        rule in "[A-Za-z'\u{2018}\u{2019}\u{201A}\u{201B}\u{201C}\u{201D}\"`$(){};|&#@%<>\\[\\] äЖ漢-]{0,24}x",
        folder in "[A-Za-z'\u{2019}\"`$(){};|&#@ äЖ]{0,12}x",
    ) {
        let Some(python) = python() else { return Ok(()) };
        let names = PlanNamesWith { incoming: rule.clone() }.names();
        let path = |last: &str| FolderPath::new(FolderRoot::PublicFolders, [folder.as_str(), last]);
        let destination = Destination::PublicFolders { queue: path("Queue"), storage: path("Storage") };
        let plan = ProvisioningPlan::online(ACCOUNT, destination).with_names(names).build().unwrap();
        let results = run(&python, &json!({ "scripts": [plan.script(), plan.script()] }));
        prop_assert_eq!(&results[0]["error"], &Value::Null);
        let state = &results[0]["state"];
        prop_assert_eq!(state["TransportRule"][0]["Name"].as_str(), Some(rule.as_str()));
        let queue = format!("\\{folder}\\Queue");
        prop_assert_eq!(state["PublicFolder"][1]["Identity"].as_str(), Some(queue.as_str()));
        prop_assert_eq!(&results[1]["changes"], &json!([]));
    }
}

/// The documented names but for the one that a test makes up.
struct PlanNamesWith {
    incoming: String,
}

impl PlanNamesWith {
    fn names(self) -> PlanNames {
        let mut names = PlanNames::default();
        names.incoming_rule = self.incoming;
        names
    }
}

#[test]
fn what_cannot_be_a_name_is_refused_before_a_script_is_written() {
    for bad in [
        "",
        "65-characters-are-one-more-than-exchange-takes-for-the-name-of-it",
        "a\nb",
        "a\0b",
        "a\rb",
        "a\u{2028}b",
        "all*",
        "Log Email Sent from This Organization",
    ] {
        let names = PlanNamesWith {
            incoming: bad.to_owned(),
        }
        .names();
        let plan = ProvisioningPlan::online(ACCOUNT, Destination::default_public_folders());
        let error = plan.with_names(names).build().unwrap_err();
        assert_eq!(error.code(), "config.invalid", "{bad:?}");
    }
    let public = |segments: &[&str]| FolderPath::new(FolderRoot::PublicFolders, segments.to_vec());
    for (queue, storage, code) in [
        (
            public(&["A", "Q"]),
            public(&["a", "q"]),
            "setup.queue_equals_storage",
        ),
        (public(&["A\\B"]), public(&["C"]), "config.invalid"),
        (public(&[]), public(&["C"]), "config.invalid"),
        (
            FolderPath::new(FolderRoot::Inbox, ["A"]),
            public(&["C"]),
            "config.invalid",
        ),
    ] {
        let destination = Destination::PublicFolders { queue, storage };
        let error = ProvisioningPlan::online(ACCOUNT, destination)
            .build()
            .unwrap_err();
        assert_eq!(error.code(), code);
    }
}

#[test]
fn a_way_of_narrowing_belongs_to_its_kind_of_exchange() {
    let shared = || Destination::shared_mailbox(SHARED);
    let policy = || Narrowing::AccessPolicy {
        client_id: CLIENT.to_owned(),
    };
    let online = || ProvisioningPlan::online(ACCOUNT, shared());
    let premises = || ProvisioningPlan::on_premises("mail01.corp.example", ACCOUNT, shared());
    let no_guid = Narrowing::AccessPolicy {
        client_id: "x' ; y".to_owned(),
    };
    for (builder, problem) in [
        (
            online().with_narrowing(Narrowing::Impersonation),
            "on premises",
        ),
        (online().with_narrowing(no_guid), "GUID"),
        (online().with_ews_allowed("*"), "GUID"),
        (premises().with_narrowing(policy()), "Exchange Online"),
        (premises().with_ews_allowed(CLIENT), "Exchange Online"),
        (
            ProvisioningPlan::on_premises("a b", ACCOUNT, shared()),
            "host name",
        ),
        (ProvisioningPlan::online("nobody", shared()), "mail address"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.code(), "config.invalid");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[test]
fn the_shared_mailbox_is_named_as_the_way_for_exchange_online() {
    assert!(online_shared().is_recommended());
    assert!(
        online_shared()
            .summary()
            .starts_with("Recommended for Exchange Online")
    );
    assert!(!online_folders().is_recommended());
    for date in ["2026-10-01", "2027-04-01"] {
        assert!(online_folders().summary().contains(date));
    }
    assert!(on_premises_folders().is_recommended());
}

#[test]
fn a_file_begins_with_the_mark_that_windows_powershell_needs() {
    let bytes = ProvisioningPlan::file(&on_premises_folders().script());
    assert_eq!(bytes[..3], [0xEF, 0xBB, 0xBF]);
}

#[test]
fn the_scripts_hold_the_ids_that_are_promised() {
    let ids = |plan: &ProvisioningPlan| -> Vec<String> {
        plan.steps()
            .iter()
            .map(|step| step.id().to_owned())
            .collect()
    };
    assert_eq!(
        ids(&online_shared()),
        [
            "connect",
            "shared-mailbox",
            "shared-mailbox-access",
            "service-principal",
            "management-scope",
            "application-role",
            "ews-allowed",
            "rule-incoming",
            "rule-outgoing",
        ]
    );
    assert_eq!(
        ids(&online_folders()),
        [
            "connect",
            "organization-customization",
            "role-group",
            "role-group-member",
            "public-folder-mailbox",
            "public-folder:\\Email Logging",
            "public-folder:\\Email Logging\\Queue",
            "public-folder:\\Email Logging\\Storage",
            "queue-owner",
            "storage-owner",
            "queue-mail-enabled",
            "queue-anonymous",
            "queue-sender-authentication",
            "access-group",
            "access-group-member",
            "application-access-policy",
            "rule-incoming",
            "rule-outgoing",
        ]
    );
    let rule = online_folders();
    assert_eq!(
        rule.step("rule-incoming").unwrap().delay(),
        Some("A mail flow rule may take hours to act.")
    );
    let one = ProvisioningPlan::online(ACCOUNT, Destination::shared_mailbox(ACCOUNT))
        .with_rules(false, true)
        .build()
        .unwrap();
    assert_eq!(ids(&one), ["connect", "shared-mailbox", "rule-outgoing"]);
}

fn registration() -> AppRegistration {
    AppRegistration::new(
        "Contoso ERP",
        "https://erp.contoso.example/OAuthLanding.htm",
    )
    .unwrap()
}

#[test]
fn the_manifest_is_the_documented_one() {
    let golden = |name: &str| std::fs::read_to_string(folder(name)).unwrap();
    assert_eq!(registration().manifest(), golden("manifest.json"));
    let graph = registration().with_api(MailApi::Graph);
    assert_eq!(graph.manifest(), golden("manifest-graph.json"));
    let application = registration()
        .with_access(AppAccess::Application)
        .manifest();
    let application: Value = serde_json::from_str(&application).unwrap();
    assert_eq!(
        application["requiredResourceAccess"][0]["resourceAccess"],
        json!([{ "id": "dc890d15-9560-4a4c-9b7f-a736ec74ec40", "type": "Role" }])
    );
}

#[test]
fn the_checklist_is_filled_with_the_hosts_own_values() {
    let registration = registration();
    assert_eq!(registration.consent_url(), None);
    let registration = registration
        .with_client_id(CLIENT)
        .unwrap()
        .with_tenant("contoso.example");
    let codes: Vec<_> = registration
        .checklist()
        .iter()
        .map(|item| item.code)
        .collect();
    assert_eq!(
        codes,
        [
            "register",
            "platform",
            "redirect-url",
            "manifest",
            "permissions",
            "credential",
            "client-id",
            "consent",
            "narrow",
        ]
    );
    let consent = format!(
        "https://login.microsoftonline.com/contoso.example/v2.0/adminconsent?client_id={CLIENT}\
         &scope=https%3A%2F%2Foutlook.office365.com%2F.default\
         &redirect_uri=https%3A%2F%2Ferp.contoso.example%2FOAuthLanding.htm"
    );
    assert_eq!(
        registration.consent_url().as_deref(),
        Some(consent.as_str())
    );
    for text in [registration.to_markdown(), registration.to_text()] {
        for value in [
            "Contoso ERP",
            "https://erp.contoso.example/OAuthLanding.htm",
            CLIENT,
            &consent,
            "EWS.AccessAsUser.All (delegated)",
            "full_access_as_app (application)",
            "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
            "client secret",
        ] {
            assert!(text.contains(value), "{value} in {text}");
        }
    }
    let certificate = registration
        .with_credential(AppCredential::Certificate)
        .to_text();
    assert!(certificate.contains("certificate's public part"));
}

#[test]
fn a_redirect_url_is_https_or_this_machine() {
    for good in [
        "https://a.example/x",
        "http://localhost:8080/x",
        "http://127.0.0.1/x",
        "http://[::1]:1/",
    ] {
        AppRegistration::new("x", good).unwrap();
    }
    for (bad, code) in [
        ("http://a.example/x", "config.insecure"),
        ("http://localhost.a.example/x", "config.insecure"),
        ("http://localhost@a.example/x", "config.invalid"),
        ("https://", "config.invalid"),
        ("ftp://a.example", "config.invalid"),
        ("https://a.example/x y", "config.invalid"),
    ] {
        assert_eq!(
            AppRegistration::new("x", bad).unwrap_err().code(),
            code,
            "{bad}"
        );
    }
    assert_eq!(
        registration().with_client_id("abc").unwrap_err().code(),
        "config.invalid"
    );
}
