//! Enough access, and no more.

use email_logging::error::codes;
use email_logging::setup::{Check, NotChecked, ServiceFacts, SignedIn};

use crate::bench::Bench;
use crate::fake_mail::{answer, fails};

const MISSING: &str = "Add full_access_as_app (application) or EWS.AccessAsUser.All (delegated) to the app registration and let an administrator consent.";

fn signed_in(signed_in: SignedIn, online: bool) -> Bench {
    Bench::with_answers(|answers| {
        answers.sign_in = answer(signed_in);
        answers.reach = answer(ServiceFacts::new(online));
    })
}

/// Where the service does not answer, the missing permission is why.
#[tokio::test]
async fn a_token_without_the_permission_fails_where_the_service_does_not_answer() {
    let check = Check::TokenPermissions;
    for (token, needed) in [
        (
            SignedIn::as_application(["Mail.Read"]),
            "(full_access_as_app)",
        ),
        (
            SignedIn::as_person(["Mail.Read", "openid"]),
            "(EWS.AccessAsUser.All)",
        ),
    ] {
        let bench = Bench::with_answers(|answers| {
            answers.sign_in = answer(token.clone());
            answers.reach = fails(&codes::HTTP_FORBIDDEN);
        });
        let result = bench
            .fails(check, "check.permission_missing", MISSING)
            .await;
        assert!(result.found.unwrap().ends_with(needed));
    }
}

/// As with RBAC for Applications, where the right is Exchange's and the consent is withdrawn.
#[tokio::test]
async fn a_service_that_answers_makes_a_permission_that_is_not_told_a_warning() {
    let check = Check::TokenPermissions;
    let remedy = "Nothing, if Exchange itself assigns the right (RBAC for Applications); else add the permission to the app registration.";
    for (token, online) in [
        (SignedIn::as_application([""; 0]), true),
        (SignedIn::as_person(["user_impersonation"]), false),
    ] {
        let bench = signed_in(token, online);
        bench
            .warns(check, "check.permission_not_told", remedy)
            .await;
    }
}

#[tokio::test]
async fn a_token_with_the_permission_alone_passes() {
    for token in [
        SignedIn::as_application(["full_access_as_app"]),
        SignedIn::as_person(["EWS.AccessAsUser.All", "openid", "offline_access"]),
        SignedIn::as_person(["https://outlook.office365.com/EWS.AccessAsUser.All"]),
    ] {
        signed_in(token, true).passes(Check::TokenPermissions).await;
    }
}

#[tokio::test]
async fn a_token_with_more_permissions_than_needed_warns() {
    let roles = SignedIn::as_application(["Mail.Send", "full_access_as_app", "Files.Read.All"]);
    let bench = signed_in(roles, false);
    let remedy = "Remove them from the app registration.";
    let check = Check::TokenPermissions;
    let result = bench.warns(check, "check.permission_extra", remedy).await;
    assert!(
        result
            .found
            .unwrap()
            .ends_with("(Files.Read.All, Mail.Send)")
    );
}

#[tokio::test]
async fn without_a_readable_token_its_permissions_are_not_checked() {
    let bench = signed_in(SignedIn::opaque(), false);
    bench
        .not_checked(Check::TokenPermissions, NotChecked::NotTold)
        .await;
}

#[tokio::test]
async fn an_account_that_reads_another_mailbox_warns_with_the_fix() {
    let mut bench = Bench::with_answers(|answers| answers.reads_mailbox = answer(Some(true)));
    let check = Check::LeastAccess;
    bench.not_checked(check, NotChecked::NoRole).await;
    bench.validator = bench.validator.with_other_mailbox("ceo@corp.example");
    let remedy = "Narrow the application to the one mailbox: RBAC for Applications (New-ManagementRoleAssignment with a scope), or an application access policy (New-ApplicationAccessPolicy).";
    bench.warns(check, "check.other_mailbox", remedy).await;
    bench
        .mail
        .answers(|answers| answers.reads_mailbox = answer(Some(false)));
    bench.passes(check).await;
    bench
        .mail
        .answers(|answers| answers.reads_mailbox = answer(None));
    bench.not_checked(check, NotChecked::NotTold).await;
    bench
        .mail
        .answers(|answers| answers.reads_mailbox = fails(&codes::HTTP_TIMEOUT));
    let remedy = "Nothing: the next run looks before it repeats anything.";
    bench.fails(check, "http.timeout", remedy).await;
}
