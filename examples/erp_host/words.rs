//! The words of the pages in English, French and German.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
    German,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::English, Self::French, Self::German];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::German => "Deutsch",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// The first language of a browser's list that there are words in.
    pub(crate) fn of_browser(accepted: &str) -> Self {
        let mut codes = accepted.split(',').filter_map(|one| one.trim().get(..2));
        codes.find_map(Self::from_code).unwrap_or(Self::English)
    }

    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
            Self::German => &GERMAN,
        }
    }

    /// How a point in time is written.
    pub(crate) fn time_format(self) -> &'static str {
        match self {
            Self::English => "%-d %b %Y, %H:%M",
            Self::French => "%d/%m/%Y %H:%M",
            Self::German => "%d.%m.%Y %H:%M",
        }
    }
}

macro_rules! words {
    ($($name:ident: $english:literal, $french:literal, $german:literal;)*) => {
        /// Every text of the pages, in one language.
        #[derive(Debug)]
        pub(crate) struct Words { $(pub(crate) $name: &'static str,)* }
        static ENGLISH: Words = Words { $($name: $english,)* };
        static FRENCH: Words = Words { $($name: $french,)* };
        static GERMAN: Words = Words { $($name: $german,)* };
    };
}

words! {
    product: "Tidewheel ERP", "Tidewheel ERP", "Tidewheel ERP";
    skip: "To the content", "Aller au contenu", "Zum Inhalt";
    home: "Home", "Accueil", "Start";
    contacts: "Contacts", "Contacts", "Kontakte";
    contact: "Contact", "Contact", "Kontakt";
    why: "Why is my mail not here?", "Pourquoi mon e-mail n'est-il pas ici ?", "Warum ist meine Mail nicht hier?";
    settings: "Email logging", "Journalisation", "E-Mail-Protokoll";
    settings_title: "Email logging set-up", "Configuration de la journalisation", "E-Mail-Protokoll einrichten";
    health: "Health", "État", "Zustand";
    activity: "Activity", "Activité", "Aktivität";
    language: "Language", "Langue", "Sprache";
    number: "No.", "N°", "Nr.";
    name: "Name", "Nom", "Name";
    company: "Company", "Société", "Unternehmen";
    person: "Person", "Personne", "Person";
    kind: "Kind", "Type", "Art";
    email: "E-mail", "E-mail", "E-Mail";
    history: "History", "Historique", "Verlauf";
    entries: "Interaction log entries", "Écritures du journal des interactions", "Aktivitätenprotokollposten";
    last_mails: "Latest mail", "Derniers e-mails", "Neueste Mails";
    date: "Date", "Date", "Datum";
    subject: "Subject", "Objet", "Betreff";
    no_subject: "(no subject)", "(sans objet)", "(ohne Betreff)";
    direction: "Direction", "Sens", "Richtung";
    inbound: "Received", "Reçu", "Empfangen";
    outbound: "Sent", "Envoyé", "Gesendet";
    salesperson: "Salesperson", "Vendeur", "Verkäufer";
    original: "Original mail", "E-mail d'origine", "Originalmail";
    download: "Download (.eml)", "Télécharger (.eml)", "Herunterladen (.eml)";
    no_original: "The original is not kept, or too large to be shown here.", "L'original n'est pas conservé ou est trop volumineux pour être affiché ici.", "Das Original ist nicht aufbewahrt oder zu groß, um hier gezeigt zu werden.";
    from: "From", "De", "Von";
    to: "To", "À", "An";
    cc: "Cc", "Cc", "Cc";
    flags: "Noted", "Remarques", "Vermerke";
    canceled: "Cancelled", "Annulé", "Storniert";
    cancel: "Cancel the entry", "Annuler l'écriture", "Posten stornieren";
    uncancel: "Take the cancelling back", "Rétablir l'écriture", "Stornierung zurücknehmen";
    comments: "Comments", "Commentaires", "Bemerkungen";
    comment: "Comment", "Commentaire", "Bemerkung";
    add_comment: "Add comment", "Ajouter", "Hinzufügen";
    evaluation: "Evaluation", "Évaluation", "Bewertung";
    no_evaluation: "None", "Aucune", "Keine";
    save: "Save", "Enregistrer", "Speichern";
    search: "Search", "Rechercher", "Suchen";
    search_contacts: "Name, number or e-mail", "Nom, numéro ou e-mail", "Name, Nummer oder E-Mail";
    search_mails: "Words in subject, people or text", "Mots dans l'objet, les personnes ou le texte", "Wörter in Betreff, Personen oder Text";
    nothing: "Nothing here yet.", "Rien pour l'instant.", "Noch nichts vorhanden.";
    nothing_found: "Nothing was found.", "Aucun résultat.", "Nichts gefunden.";
    older: "Older", "Plus anciens", "Ältere";
    first_page: "First page", "Première page", "Erste Seite";
    enabled: "Enabled", "Activée", "Eingeschaltet";
    disabled: "Disabled", "Désactivée", "Ausgeschaltet";
    enable: "Switch on", "Activer", "Einschalten";
    disable: "Switch off", "Désactiver", "Ausschalten";
    sign_in: "Sign in", "Se connecter", "Anmelden";
    signed_in: "Signed in", "Connecté", "Angemeldet";
    signed_out: "Not signed in", "Non connecté", "Nicht angemeldet";
    with_host: "By this program", "Par ce programme", "Durch dieses Programm";
    sign_in_state: "Sign-in", "Connexion", "Anmeldung";
    validate: "Validate", "Valider", "Prüfen";
    validation: "Validation", "Validation", "Prüfung";
    passed: "Passed", "Réussi", "Bestanden";
    warned: "Warning", "Avertissement", "Warnung";
    failed: "Failed", "Échec", "Fehlgeschlagen";
    not_checked: "Not checked", "Non vérifié", "Nicht geprüft";
    ready: "Everything that is needed works. Logging can be switched on.", "Tout ce qui est nécessaire fonctionne. La journalisation peut être activée.", "Alles Nötige funktioniert. Das Protokoll kann eingeschaltet werden.";
    not_ready: "Logging cannot be switched on yet. The failed checks say what to do.", "La journalisation ne peut pas encore être activée. Les vérifications en échec disent que faire.", "Das Protokoll kann noch nicht eingeschaltet werden. Die fehlgeschlagenen Prüfungen sagen, was zu tun ist.";
    queue_folder: "Queue folder", "Dossier de file d'attente", "Warteschlangenordner";
    storage_folder: "Storage folder", "Dossier de stockage", "Ablageordner";
    batch_size: "Batch size (0 = no limit)", "Taille du lot (0 = sans limite)", "Stapelgröße (0 = ohne Grenze)";
    address: "Autodiscovery e-mail address", "Adresse de découverte automatique", "AutoErmittlungs-E-Mail-Adresse";
    service_url: "Exchange service URL", "URL du service Exchange", "URL des Exchange-Dienstes";
    authentication: "Authentication type", "Type d'authentification", "Authentifizierungsart";
    user_name: "User name", "Nom d'utilisateur", "Benutzername";
    account_password: "Password of the account", "Mot de passe du compte", "Kennwort des Kontos";
    client_id: "Client id", "ID client", "Client-ID";
    client_secret: "Client secret", "Clé secrète client", "Geheimer Clientschlüssel";
    secret_kept: "leave blank to keep it", "laisser vide pour la conserver", "leer lassen, um es zu behalten";
    redirect_url: "Redirect URL", "URL de redirection", "Umleitungs-URL";
    template: "Interaction template", "Modèle d'interaction", "Aktivitätenvorlage";
    clear: "Clear set-up", "Effacer la configuration", "Einrichtung löschen";
    clear_note: "The log, the originals and the mail stay.", "Le journal, les originaux et les e-mails restent.", "Protokoll, Originale und Mails bleiben erhalten.";
    saved: "Saved.", "Enregistré.", "Gespeichert.";
    run_now: "Run now", "Exécuter maintenant", "Jetzt ausführen";
    customer_writes: "A customer writes (demo)", "Un client écrit (démo)", "Ein Kunde schreibt (Demo)";
    last_run: "Last run", "Dernière exécution", "Letzter Lauf";
    never: "Never", "Jamais", "Noch nie";
    mails: "mails", "e-mails", "Mails";
    logged: "Logged", "Journalisés", "Protokolliert";
    not_logged: "Not logged", "Non journalisés", "Nicht protokolliert";
    set_aside: "Set aside", "Mis de côté", "Zurückgestellt";
    moved: "Moved to storage", "Déplacés vers le stockage", "In die Ablage verschoben";
    well: "All is well", "Tout va bien", "Alles in Ordnung";
    not_well: "Needs attention", "À surveiller", "Braucht Aufmerksamkeit";
    off_note: "Email logging is switched off. Nothing is read.", "La journalisation est désactivée. Rien n'est lu.", "Das E-Mail-Protokoll ist ausgeschaltet. Es wird nichts gelesen.";
    reason: "Reason", "Raison", "Grund";
    steps: "Every step", "Chaque étape", "Jeder Schritt";
    why_intro: "Every mail that was read has a decision. Search by sender or subject.", "Chaque e-mail lu a une décision. Cherchez par expéditeur ou objet.", "Zu jeder gelesenen Mail gibt es eine Entscheidung. Suchen Sie nach Absender oder Betreff.";
    sender: "Sender", "Expéditeur", "Absender";
    per_month: "Mails per month", "E-mails par mois", "Mails pro Monat";
    per_salesperson: "Mails per salesperson", "E-mails par vendeur", "Mails pro Verkäufer";
    per_contact: "Mails per contact", "E-mails par contact", "Mails pro Kontakt";
    password: "Password", "Mot de passe", "Kennwort";
    wrong_password: "That is not the password.", "Ce n'est pas le mot de passe.", "Das ist nicht das Kennwort.";
    error: "That did not work", "Cela n'a pas fonctionné", "Das hat nicht geklappt";
    not_found: "There is no such page.", "Cette page n'existe pas.", "Diese Seite gibt es nicht.";
    back: "Back", "Retour", "Zurück";
    what_to_do: "What to do", "Que faire", "Was zu tun ist";
    start_here: "Start here: switch email logging on.", "Commencez ici : activez la journalisation.", "Hier beginnen: Schalten Sie das E-Mail-Protokoll ein.";
    opportunities: "Opportunities", "Opportunités", "Verkaufschancen";
    opportunity: "Opportunity", "Opportunité", "Verkaufschance";
    no_opportunities: "None yet. Open a mail of a contact and make an opportunity of it.", "Aucune pour l'instant. Ouvrez un e-mail d'un contact et créez une opportunité.", "Noch keine. Öffnen Sie eine Mail eines Kontakts und machen Sie daraus eine Verkaufschance.";
    create_opportunity: "Create opportunity", "Créer une opportunité", "Verkaufschance anlegen";
    status: "Status", "Statut", "Status";
    not_started: "Not started", "Non commencée", "Nicht begonnen";
    in_progress: "In progress", "En cours", "In Arbeit";
    won: "Won", "Gagnée", "Gewonnen";
    lost: "Lost", "Perdue", "Verloren";
    stage: "Stage", "Étape", "Stufe";
    value: "Estimated value", "Valeur estimée", "Geschätzter Wert";
    probability: "Probability", "Probabilité", "Wahrscheinlichkeit";
    chance: "Chance", "Chance", "Erfolgschance";
    next_task: "Next task", "Prochaine tâche", "Nächste Aufgabe";
    what_next: "What next?", "Et ensuite ?", "Wie weiter?";
    start: "Start the sales cycle", "Démarrer le cycle de vente", "Verkaufszyklus beginnen";
    next_stage: "Next stage", "Étape suivante", "Nächste Stufe";
    previous_stage: "Previous stage", "Étape précédente", "Vorige Stufe";
    update: "Update the estimate", "Mettre à jour l'estimation", "Schätzung ändern";
    close_code: "Close code", "Code de clôture", "Abschlusscode";
    close: "Close", "Clôturer", "Abschließen";
    active: "Now", "Actuelle", "Aktuell";
    attachments: "Attachments", "Pièces jointes", "Anhänge";
    consent_needed: "An administrator has to sign in", "Un administrateur doit se connecter", "Ein Administrator muss sich anmelden";
    consent_note: "The whole page goes to the identity service of your company and comes back here. Then switch on again.", "La page entière va au service d'identité de votre société et revient ici. Activez ensuite de nouveau.", "Die ganze Seite geht zum Anmeldedienst Ihres Unternehmens und kommt hierher zurück. Schalten Sie danach noch einmal ein.";
    consent_given: "The administrator signed in.", "L'administrateur s'est connecté.", "Der Administrator hat sich angemeldet.";
}
