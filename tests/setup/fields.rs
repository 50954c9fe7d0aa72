//! Each field has its limit, its rule, and the consequences of its change.

use email_logging::ErrorKind;
use email_logging::setup::{
    AuthenticationType, Consequence, EmailLoggingSetup, SetupChange, SetupField,
};
use email_logging::source::{FolderId, FolderPath, FolderRoot, FolderSelector};
use email_logging::store::SecretName;

use crate::fake_mail::{complete, queue, storage};

use Consequence::{Changed, Cleared, EraseSecret, Reconnect, SignInAgain};
use SetupField::{
    AutodiscoveryEmailAddress, EmailBatchSize, ExchangeAccountUserName, ExchangeClientId,
    ExchangeRedirectUrl, ExchangeServiceUrl, ExchangeTenantId, InteractionTemplateCode,
    QueueFolder, StorageFolder,
};

fn change(setup: &mut EmailLoggingSetup, field: SetupField, text: &str) -> Vec<Consequence> {
    let change = SetupChange::from_text(field, text).unwrap();
    setup.apply(&[change]).unwrap()
}

/// The code and the remedy of a refused change; the set-up stays as it was.
fn refusal(setup: &EmailLoggingSetup, change: SetupChange) -> (&'static str, &'static str) {
    let mut changed = setup.clone();
    let error = changed.apply(&[change]).unwrap_err();
    assert_eq!(&changed, setup, "a refused change changes nothing");
    assert_eq!(error.kind(), ErrorKind::Config);
    (error.code(), error.remedy())
}

fn code(field: SetupField, text: &str) -> &'static str {
    let change = SetupChange::from_text(field, text).unwrap();
    refusal(&EmailLoggingSetup::default(), change).0
}

fn by_id(id: &str, path: FolderPath) -> FolderSelector {
    FolderSelector::Id(FolderId::new(id), Some(path))
}

#[test]
fn a_text_field_takes_its_limit_and_not_one_character_more() {
    let at_most = |field: SetupField| field.limit().unwrap();
    let texts = [ExchangeClientId, ExchangeTenantId, InteractionTemplateCode];
    for field in texts {
        let mut setup = EmailLoggingSetup::default();
        change(&mut setup, field, &"é".repeat(at_most(field)));
        assert_eq!(
            code(field, &"é".repeat(at_most(field) + 1)),
            "setup.too_long"
        );
    }
    let limits = [
        (ExchangeClientId, 250),
        (InteractionTemplateCode, 10),
        (ExchangeRedirectUrl, 2048),
        (ExchangeServiceUrl, 250),
        (ExchangeAccountUserName, 250),
        (AutodiscoveryEmailAddress, 250),
        (QueueFolder, 250),
        (StorageFolder, 250),
    ];
    for (field, limit) in limits {
        assert_eq!(field.limit(), Some(limit), "{field}");
    }
    let url = |length: usize| format!("https://erp.example/{}", "a".repeat(length - 20));
    let mut setup = EmailLoggingSetup::default();
    change(&mut setup, ExchangeRedirectUrl, &url(2048));
    assert_eq!(code(ExchangeRedirectUrl, &url(2049)), "setup.too_long");
    assert_eq!(code(ExchangeServiceUrl, &url(251)), "setup.too_long");
    let address = |name: &str| format!("{name}@{}example.com", "a.".repeat(118));
    change(&mut setup, AutodiscoveryEmailAddress, &address("bb"));
    let longer = address("bbb");
    assert_eq!(longer.len(), 251);
    assert_eq!(code(AutodiscoveryEmailAddress, &longer), "setup.too_long");
}

#[test]
fn a_user_name_takes_250_characters_and_not_one_more() {
    let mut setup = EmailLoggingSetup::default();
    setup.authentication_type = AuthenticationType::Basic;
    change(&mut setup, ExchangeAccountUserName, &"u".repeat(250));
    let longer = SetupChange::ExchangeAccountUserName("u".repeat(251));
    let (code, remedy) = refusal(&setup, longer);
    assert_eq!(code, "setup.too_long");
    assert_eq!(remedy, "Shorten the field that the message names.");
}

#[test]
fn a_folder_path_over_250_characters_is_refused() {
    let path = |length: usize| FolderPath::new(FolderRoot::PublicFolders, ["q".repeat(length - 2)]);
    let mut setup = EmailLoggingSetup::default();
    let fits = SetupChange::QueueFolder(Some(path(250).into()));
    assert_eq!(setup.apply(&[fits]).unwrap(), [Changed(QueueFolder)]);
    let long = SetupChange::QueueFolder(Some(path(251).into()));
    assert_eq!(refusal(&setup, long).0, "setup.too_long");
}

#[test]
fn a_control_character_is_refused() {
    let (code, remedy) = refusal(
        &EmailLoggingSetup::default(),
        SetupChange::ExchangeClientId("one\r\ntwo".into()),
    );
    assert_eq!(code, "setup.text");
    assert_eq!(remedy, "Type the field that the message names again.");
}

#[test]
fn the_batch_size_is_a_whole_number_of_at_least_0() {
    let mut setup = EmailLoggingSetup::default();
    assert_eq!(
        change(&mut setup, EmailBatchSize, "20"),
        [Changed(EmailBatchSize)]
    );
    assert_eq!(setup.email_batch_size, 20);
    change(&mut setup, EmailBatchSize, "0");
    assert_eq!(setup.email_batch_size, 0);
    for text in ["-1", "1.5", "ten", "4294967296"] {
        let error = SetupChange::from_text(EmailBatchSize, text).unwrap_err();
        assert_eq!(error.code(), "setup.batch_size", "{text}");
        assert_eq!(
            error.remedy(),
            "Give the number of mails per run; 0 is no limit."
        );
    }
}

#[test]
fn an_autodiscovery_address_is_well_formed() {
    let mut setup = EmailLoggingSetup::default();
    change(
        &mut setup,
        AutodiscoveryEmailAddress,
        " logging@corp.example ",
    );
    let stored = setup.autodiscovery_email_address.as_deref();
    assert_eq!(stored, Some("logging@corp.example"));
    for text in [
        "logging",
        "logging@",
        "@corp.example",
        "a b@corp.example",
        "a@b@c",
    ] {
        assert_eq!(
            code(AutodiscoveryEmailAddress, text),
            "setup.address",
            "{text}"
        );
    }
}

#[test]
fn a_redirect_url_is_https_or_this_very_machine() {
    let fine = [
        "https://erp.corp.example/OAuthLanding.htm",
        "http://127.0.0.1:8400/callback",
        "http://[::1]:8400/callback",
        "http://localhost/callback",
    ];
    for text in fine {
        let mut setup = EmailLoggingSetup::default();
        change(&mut setup, ExchangeRedirectUrl, text);
        assert_eq!(setup.exchange_redirect_url.as_deref(), Some(text));
    }
    for (text, expected) in [
        ("http://erp.corp.example/", "config.insecure"),
        ("http://localhost.corp.example/", "config.insecure"),
        ("http://127.0.0.2/", "config.insecure"),
        ("ftp://erp.corp.example/", "setup.redirect_url"),
        ("erp.corp.example", "setup.redirect_url"),
        ("https://", "setup.redirect_url"),
        (
            "https://user:secret@erp.corp.example/",
            "setup.redirect_url",
        ),
        ("https://erp.corp.example/#part", "setup.redirect_url"),
        ("https://erp.corp.example/?tenant=a", "setup.redirect_url"),
    ] {
        assert_eq!(code(ExchangeRedirectUrl, text), expected, "{text}");
    }
    let setup = EmailLoggingSetup::default();
    for (text, remedy) in [
        (
            "http://erp.corp.example/",
            "Use https, or a loopback address with the option made for tests.",
        ),
        (
            "erp.corp.example",
            "Give the redirect URL of the app registration, letter by letter.",
        ),
    ] {
        let change = SetupChange::from_text(ExchangeRedirectUrl, text).unwrap();
        assert_eq!(refusal(&setup, change).1, remedy, "{text}");
    }
}

#[test]
fn queue_and_storage_differ_by_path() {
    let mut setup = EmailLoggingSetup::default();
    change(&mut setup, QueueFolder, r"\Email Logging\Queue\");
    for text in [r"\Email Logging\Queue\", r"\email logging\QUEUE"] {
        let same = SetupChange::from_text(StorageFolder, text).unwrap();
        let (code, remedy) = refusal(&setup, same);
        assert_eq!(code, "setup.queue_equals_storage", "{text}");
        assert_eq!(remedy, "Choose two different folders.");
    }
    change(&mut setup, StorageFolder, r"mailbox:\Email Logging\Queue\");
}

#[test]
fn queue_and_storage_differ_by_id_and_an_empty_id_is_none() {
    let mut setup = EmailLoggingSetup::default();
    let one = SetupChange::QueueFolder(Some(by_id("AAA", queue())));
    setup.apply(&[one]).unwrap();
    assert_eq!(setup.queue_folder_id, Some(FolderId::new("AAA")));
    let same = SetupChange::StorageFolder(Some(by_id("AAA", storage())));
    assert_eq!(refusal(&setup, same).0, "setup.queue_equals_storage");
    let other = SetupChange::StorageFolder(Some(by_id("aaa", storage())));
    setup.apply(&[other]).unwrap();
    let empty = [
        SetupChange::QueueFolder(Some(by_id("", queue()))),
        SetupChange::StorageFolder(Some(by_id("", storage()))),
    ];
    setup.apply(&empty).unwrap();
}

#[test]
fn a_folder_is_chosen_and_taken_back_with_its_id() {
    let mut setup = EmailLoggingSetup::default();
    let chosen = SetupChange::QueueFolder(Some(by_id("AAA", queue())));
    assert_eq!(
        setup.apply(std::slice::from_ref(&chosen)).unwrap(),
        [Changed(QueueFolder)]
    );
    assert_eq!(setup.apply(&[chosen]).unwrap(), []);
    assert_eq!(change(&mut setup, QueueFolder, ""), [Changed(QueueFolder)]);
    assert_eq!(setup, EmailLoggingSetup::default());
}

#[test]
fn a_change_of_where_or_as_whom_the_job_connects_forgets_the_tenant() {
    for (field, text) in [
        (AutodiscoveryEmailAddress, "other@corp.example"),
        (ExchangeServiceUrl, "corp.example"),
        (ExchangeRedirectUrl, "https://erp.corp.example/other"),
    ] {
        let mut setup = complete();
        let followed = change(&mut setup, field, text);
        let expected = [
            Changed(field),
            Reconnect,
            Cleared(ExchangeTenantId),
            SignInAgain,
        ];
        assert_eq!(followed, expected, "{field}");
        assert_eq!(setup.exchange_tenant_id, None);
    }
    let mut setup = complete();
    let followed = change(&mut setup, ExchangeClientId, "another");
    let expected = [
        Changed(ExchangeClientId),
        Reconnect,
        Cleared(ExchangeTenantId),
        SignInAgain,
        EraseSecret(SecretName::RefreshToken),
    ];
    assert_eq!(followed, expected);
    assert_eq!(setup.exchange_tenant_id, None);
}

#[test]
fn the_same_value_again_changes_nothing() {
    let setup = complete();
    for field in [
        AutodiscoveryEmailAddress,
        ExchangeServiceUrl,
        ExchangeRedirectUrl,
        ExchangeClientId,
        InteractionTemplateCode,
        EmailBatchSize,
    ] {
        let mut again = setup.clone();
        let text = match field {
            AutodiscoveryEmailAddress => setup.autodiscovery_email_address.clone(),
            ExchangeServiceUrl => setup.exchange_service_url.clone(),
            ExchangeRedirectUrl => setup.exchange_redirect_url.clone(),
            ExchangeClientId => setup.exchange_client_id.clone(),
            InteractionTemplateCode => setup.interaction_template_code.clone(),
            _ => Some(setup.email_batch_size.to_string()),
        };
        assert_eq!(change(&mut again, field, &text.unwrap()), [], "{field}");
        assert_eq!(again, setup);
    }
}

#[test]
fn a_tenant_that_is_told_with_the_change_that_forgets_it_stays() {
    let mut setup = complete();
    let changes = [
        SetupChange::ExchangeTenantId("new-tenant".into()),
        SetupChange::ExchangeClientId("another".into()),
    ];
    setup.apply(&changes).unwrap();
    assert_eq!(setup.exchange_tenant_id.as_deref(), Some("new-tenant"));
}

#[test]
fn choosing_basic_clears_oauth2() {
    let mut setup = complete();
    let basic = SetupChange::AuthenticationType(AuthenticationType::Basic);
    let followed = setup.apply(&[basic]).unwrap();
    let expected = [
        Changed(SetupField::AuthenticationType),
        Reconnect,
        Cleared(ExchangeClientId),
        Cleared(ExchangeTenantId),
        EraseSecret(SecretName::ClientSecret),
        EraseSecret(SecretName::CertificateKey),
        EraseSecret(SecretName::RefreshToken),
    ];
    assert_eq!(followed, expected);
    assert_eq!(
        (setup.exchange_client_id, setup.exchange_tenant_id),
        (None, None)
    );
}

#[test]
fn choosing_oauth2_clears_user_name_and_password() {
    let mut setup = EmailLoggingSetup::default();
    setup.authentication_type = AuthenticationType::Basic;
    setup.exchange_account_user_name = Some(r"CORP\logging".into());
    let chosen = SetupChange::AuthenticationType(AuthenticationType::OAuth2Delegated);
    let followed = setup.apply(&[chosen]).unwrap();
    let expected = [
        Changed(SetupField::AuthenticationType),
        Reconnect,
        Cleared(ExchangeAccountUserName),
        EraseSecret(SecretName::AccountPassword),
    ];
    assert_eq!(followed, expected);
    assert_eq!(setup.exchange_account_user_name, None);
    let app = SetupChange::AuthenticationType(AuthenticationType::OAuth2);
    let followed = setup.apply(&[app]).unwrap();
    let secrets = [SecretName::AccountPassword, SecretName::RefreshToken];
    assert_eq!(Consequence::secrets(&followed), secrets);
}

#[test]
fn a_field_of_another_way_of_signing_in_is_refused() {
    let user = SetupChange::ExchangeAccountUserName("logging".into());
    let (code, remedy) = refusal(&EmailLoggingSetup::default(), user.clone());
    assert_eq!(code, "setup.authentication_type");
    assert_eq!(
        remedy,
        "Choose the authentication type that the field belongs to first."
    );
    let mut basic = EmailLoggingSetup::default();
    let chosen = SetupChange::AuthenticationType(AuthenticationType::Basic);
    basic.apply(&[user, chosen]).unwrap();
    for change in [
        SetupChange::ExchangeClientId("client".into()),
        SetupChange::ExchangeTenantId("tenant".into()),
    ] {
        assert_eq!(refusal(&basic, change).0, "setup.authentication_type");
    }
}

#[test]
fn exchange_online_takes_oauth2_only() {
    let basic = SetupChange::AuthenticationType(AuthenticationType::Basic);
    for url in [
        "https://outlook.office365.com/EWS/Exchange.asmx",
        "https://OUTLOOK.office365.us./EWS/Exchange.asmx",
        "contoso.onmicrosoft.com",
    ] {
        let mut setup = EmailLoggingSetup::default();
        change(&mut setup, ExchangeServiceUrl, url);
        let (code, remedy) = refusal(&setup, basic.clone());
        assert_eq!(code, "ews.basic_online", "{url}");
        assert_eq!(remedy, "Use OAuth2 for Exchange Online.");
        let mut first = EmailLoggingSetup::default();
        first.apply(std::slice::from_ref(&basic)).unwrap();
        let second = SetupChange::ExchangeServiceUrl(url.into());
        assert_eq!(refusal(&first, second).0, "ews.basic_online");
    }
}

#[test]
fn while_enabled_every_field_is_refused() {
    let mut setup = complete();
    setup.enabled = true;
    for field in SetupField::ALL {
        let text = match field {
            SetupField::AuthenticationType => "basic",
            SetupField::MailService => "graph",
            _ => "",
        };
        let change = SetupChange::from_text(*field, text).unwrap();
        let (code, remedy) = refusal(&setup, change);
        assert_eq!(code, "setup.enabled", "{field}");
        assert_eq!(
            remedy,
            "Disable email logging first; settings and secrets stay."
        );
    }
}

#[test]
fn of_several_changes_all_are_made_or_none() {
    let changes = [
        SetupChange::EmailBatchSize(7),
        SetupChange::AutodiscoveryEmailAddress("nobody".into()),
    ];
    let mut setup = complete();
    assert_eq!(setup.apply(&changes).unwrap_err().code(), "setup.address");
    assert_eq!(setup, complete());
}

#[test]
fn a_setup_that_came_another_way_names_every_rule_that_it_breaks() {
    assert!(complete().violations().is_empty());
    let mut setup = complete();
    setup.queue_folder = Some(storage());
    setup.autodiscovery_email_address = Some("nobody".into());
    setup.exchange_service_url = Some("http://mail.corp.example/".into());
    setup.interaction_template_code = Some("TOOLONGCODE".into());
    setup.exchange_account_user_name = Some("logging".into());
    let broken: Vec<_> = setup
        .violations()
        .iter()
        .map(email_logging::Error::code)
        .collect();
    let expected = [
        "setup.address",
        "config.insecure",
        "setup.authentication_type",
        "setup.too_long",
        "setup.queue_equals_storage",
    ];
    assert_eq!(broken, expected);
}

#[test]
fn an_error_holds_no_value() {
    for (field, text) in [
        (AutodiscoveryEmailAddress, "canary@@corp"),
        (ExchangeServiceUrl, "https://canary@corp.example/"),
        (ExchangeRedirectUrl, "canary"),
    ] {
        let change = SetupChange::from_text(field, text).unwrap();
        let error = EmailLoggingSetup::default().apply(&[change]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}

#[test]
fn a_consequence_is_said_in_words_and_in_codes() {
    let words = [
        (
            Changed(EmailBatchSize),
            "The batch size was changed.",
            "changed",
        ),
        (
            Cleared(ExchangeTenantId),
            "The tenant id was cleared.",
            "cleared",
        ),
        (
            EraseSecret(SecretName::ClientSecret),
            "The client secret is erased.",
            "erase-secret",
        ),
        (
            Reconnect,
            "The connection to Exchange is made anew.",
            "reconnect",
        ),
        (
            SignInAgain,
            "An administrator has to sign in again.",
            "sign-in-again",
        ),
    ];
    for (consequence, text, code) in words {
        assert_eq!(
            (consequence.to_string().as_str(), consequence.code()),
            (text, code)
        );
    }
    let json = serde_json::to_value(Cleared(ExchangeTenantId)).unwrap();
    let expected = serde_json::json!({"is": "cleared", "subject": "exchange-tenant-id"});
    assert_eq!(json, expected);
}
