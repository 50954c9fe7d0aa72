//! The words of the pages in English, French and German.

mod checks;
mod decisions;
mod errors;
mod guide;
mod wrappers;

/// Texts by code, in the order of [`Language::ALL`].
type Table = &'static [(&'static str, [&'static str; 3])];

macro_rules! table {
    ($($code:literal: $english:literal, $french:literal, $german:literal;)*) => {
        &[$(($code, [$english, $french, $german])),*]
    };
}
use table;

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

    /// What a code of the library means, if there are words for it.
    pub(crate) fn of_code(self, code: &str) -> Option<&'static str> {
        let tables = [
            decisions::TABLE,
            checks::TABLE,
            guide::TABLE,
            errors::TABLE,
            wrappers::TABLE,
        ];
        let mut all = tables.into_iter().flatten();
        let (_, texts) = all.find(|(known, _)| *known == code)?;
        Some(match self {
            Self::English => texts[0],
            Self::French => texts[1],
            Self::German => texts[2],
        })
    }

    /// What a code means; the code itself where there are no words for it.
    pub(crate) fn say(self, code: &str) -> String {
        self.of_code(code).unwrap_or(code).to_owned()
    }

    /// How a day is written.
    pub(crate) fn day_format(self) -> &'static str {
        match self {
            Self::English => "%-d %b %Y",
            Self::French => "%d/%m/%Y",
            Self::German => "%d.%m.%Y",
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
    no_text: "This mail has no text that can be shown here.", "Cet e-mail n'a pas de texte affichable ici.", "Diese Mail hat keinen Text, der hier gezeigt werden kann.";
    no_original: "The original is not kept.", "L'original n'est pas conservé.", "Das Original ist nicht aufbewahrt.";
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
    no_mail_yet: "No mail is logged yet. As soon as email logging is on, the mail of your contacts stands here.", "Aucun e-mail n'est encore journalisé. Dès que la journalisation est activée, les e-mails de vos contacts apparaissent ici.", "Noch keine Mail ist protokolliert. Sobald das E-Mail-Protokoll eingeschaltet ist, stehen hier die Mails Ihrer Kontakte.";
    none_read_yet: "No mail has been read yet. Type whom or what you look for once logging is on.", "Aucun e-mail n'a encore été lu. Saisissez ce que vous cherchez une fois la journalisation activée.", "Noch keine Mail wurde gelesen. Geben Sie ein, was Sie suchen, sobald das Protokoll eingeschaltet ist.";
    no_mail_of_contact: "No mail with this contact yet.", "Aucun e-mail avec ce contact pour l'instant.", "Noch keine Mail mit diesem Kontakt.";
    fixed_note: "Email logging is on. Switch it off to change the set-up.", "La journalisation est activée. Désactivez-la pour modifier la configuration.", "Das E-Mail-Protokoll ist eingeschaltet. Schalten Sie es aus, um die Einrichtung zu ändern.";
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
    taken: "are taken", "sont occupés", "sind belegt";
    ready: "Everything that is needed works. Logging can be switched on.", "Tout ce qui est nécessaire fonctionne. La journalisation peut être activée.", "Alles Nötige funktioniert. Das Protokoll kann eingeschaltet werden.";
    not_ready: "Logging cannot be switched on yet. The failed checks say what to do.", "La journalisation ne peut pas encore être activée. Les vérifications en échec disent que faire.", "Das Protokoll kann noch nicht eingeschaltet werden. Die fehlgeschlagenen Prüfungen sagen, was zu tun ist.";
    queue_folder: "Queue folder", "Dossier de file d'attente", "Warteschlangenordner";
    storage_folder: "Storage folder", "Dossier de stockage", "Ablageordner";
    batch_size: "Batch size (0 = no limit)", "Taille du lot (0 = sans limite)", "Stapelgröße (0 = ohne Grenze)";
    address: "Autodiscovery e-mail address", "Adresse de découverte automatique", "AutoErmittlungs-E-Mail-Adresse";
    service_url: "Exchange service URL", "URL du service Exchange", "URL des Exchange-Dienstes";
    mail_service: "Mail service", "Service de messagerie", "Maildienst";
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
    logged: "Logged", "Journalisés", "Protokolliert";
    not_logged: "Not logged", "Non journalisés", "Nicht protokolliert";
    set_aside: "Set aside", "Mis de côté", "Zurückgestellt";
    moved: "Moved to storage", "Déplacés vers le stockage", "In die Ablage verschoben";
    well: "All is well", "Tout va bien", "Alles in Ordnung";
    not_well: "Needs attention", "À surveiller", "Braucht Aufmerksamkeit";
    off_note: "Email logging is switched off. Nothing is read.", "La journalisation est désactivée. Rien n'est lu.", "Das E-Mail-Protokoll ist ausgeschaltet. Es wird nichts gelesen.";
    steps: "Every step", "Chaque étape", "Jeder Schritt";
    why_intro: "Every mail that was read has a decision. Search by sender, recipient, subject or the day of the mail.", "Chaque e-mail lu a une décision. Cherchez par expéditeur, destinataire, objet ou jour de l'e-mail.", "Zu jeder gelesenen Mail gibt es eine Entscheidung. Suchen Sie nach Absender, Empfänger, Betreff oder Tag der Mail.";
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
    probability: "Probability", "Probabilité", "Wahrschein\u{ad}lichkeit";
    chance: "Chance", "Chance", "Erfolgs\u{ad}chance";
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
    menu: "Menu", "Menu", "Menü";
    sales: "Sales", "Ventes", "Verkauf";
    administration: "Email logging", "Journalisation", "E-Mail-Protokoll";
    setup: "Set-up", "Configuration", "Einrichtung";
    sign_out: "Sign out", "Se déconnecter", "Abmelden";
    mail: "Mail", "E-mails", "Mails";
    all_mail: "All logged mail", "Tous les e-mails journalisés", "Alle protokollierten Mails";
    review: "Review queue", "À vérifier", "Prüfliste";
    review_intro: "Mail that was read and not logged. Say whom it belongs to, or leave it.", "Les e-mails lus et non journalisés. Dites à qui ils appartiennent, ou laissez-les.", "Gelesene Mails, die nicht protokolliert wurden. Sagen Sie, zu wem sie gehören, oder lassen Sie sie.";
    review_empty: "Nothing waits for you.", "Rien ne vous attend.", "Nichts wartet auf Sie.";
    left_out: "Left out by the rules", "Exclus par les règles", "Nach Regeln ausgenommen";
    not_kept: "Nothing of this mail is kept.", "Rien de cet e-mail n'est conservé.", "Von dieser Mail ist nichts aufbewahrt.";
    people: "People named", "Personnes nommées", "Genannte Personen";
    assign: "Log it for a contact", "Journaliser pour un contact", "Bei einem Kontakt protokollieren";
    assign_button: "Log this mail", "Journaliser cet e-mail", "Mail protokollieren";
    candidates: "Candidates", "Candidats", "Vorschläge";
    no_candidates: "Nobody in the address book is near these addresses.", "Personne dans le répertoire n'est proche de ces adresses.", "Niemand im Adressbuch liegt nahe an diesen Adressen.";
    another_contact: "Another contact", "Un autre contact", "Ein anderer Kontakt";
    choose: "Choose…", "Choisir…", "Wählen…";
    ignore: "Ignore it", "Ignorer", "Ignorieren";
    reopen: "Open it again", "Rouvrir", "Wieder öffnen";
    note: "Note", "Remarque", "Notiz";
    choose_this: "Choose", "Choisir", "Auswählen";
    with_ticked: "What is ticked:", "Pour la sélection :", "Mit der Auswahl:";
    flash_none_ticked: "Nothing is ticked.", "Rien n'est sélectionné.", "Nichts ist ausgewählt.";
    flash_many_ignored: "Mails left as they are:", "E-mails laissés tels quels :", "Mails, die bleiben, wie sie sind:";
    flash_many_assigned: "Mails assigned to the contact:", "E-mails attribués au contact :", "Dem Kontakt zugeordnete Mails:";
    flash_some_left: "Not all could be taken: somebody was faster, or no salesperson is named. Done:", "Tout n'a pas pu être traité : quelqu'un a été plus rapide, ou aucun vendeur n'est nommé. Traités :", "Nicht alles ging: Jemand war schneller, oder es ist kein Verkäufer genannt. Erledigt:";
    leave_it: "Leave it as it is", "Le laisser tel quel", "Lassen, wie sie ist";
    create_contact: "Create a contact", "Créer un contact", "Kontakt anlegen";
    create_contact_note: "The mail of this address is matched again at once.", "Les e-mails de cette adresse sont aussitôt réexaminés.", "Die Mails dieser Adresse werden sofort neu zugeordnet.";
    never_log: "Never log", "Ne jamais journaliser", "Nie protokollieren";
    never_log_note: "An address, a domain or a pattern with *. It holds from the next run on.", "Une adresse, un domaine ou un modèle avec *. Valable dès la prochaine exécution.", "Eine Adresse, eine Domain oder ein Muster mit *. Gilt ab dem nächsten Lauf.";
    never_log_empty: "Nobody is on a list.", "Personne n'est sur une liste.", "Niemand steht auf einer Liste.";
    rule: "Address or domain", "Adresse ou domaine", "Adresse oder Domain";
    for_whom: "For whom", "Pour qui", "Für wen";
    everybody: "The whole company", "Toute la société", "Das ganze Unternehmen";
    add: "Add", "Ajouter", "Hinzufügen";
    remove: "Remove", "Retirer", "Entfernen";
    flash_logged: "The mail is logged.", "L'e-mail est journalisé.", "Die Mail ist protokolliert.";
    flash_assigned: "Assigned. It is logged by the next run.", "Attribué. Il sera journalisé à la prochaine exécution.", "Zugeordnet. Der nächste Lauf protokolliert sie.";
    flash_ignored: "The mail is left as it is.", "L'e-mail est laissé tel quel.", "Die Mail bleibt, wie sie ist.";
    flash_reopened: "The mail is open again.", "L'e-mail est rouvert.", "Die Mail ist wieder offen.";
    flash_listed: "The list is changed.", "La liste est modifiée.", "Die Liste ist geändert.";
    flash_contact: "The contact is created.", "Le contact est créé.", "Der Kontakt ist angelegt.";
    flash_run: "A run has begun.", "Une exécution a commencé.", "Ein Lauf hat begonnen.";
    flash_mail: "A customer has written. The mail is in the queue.", "Un client a écrit. L'e-mail est dans la file d'attente.", "Ein Kunde hat geschrieben. Die Mail liegt in der Warteschlange.";
    flash_on: "Email logging is on.", "La journalisation est activée.", "Das E-Mail-Protokoll ist eingeschaltet.";
    flash_off: "Email logging is off.", "La journalisation est désactivée.", "Das E-Mail-Protokoll ist ausgeschaltet.";
    flash_cleared: "The set-up is empty.", "La configuration est vide.", "Die Einrichtung ist leer.";
    flash_comment: "The comment is added.", "Le commentaire est ajouté.", "Die Bemerkung ist hinzugefügt.";
    flash_canceled: "The entry is cancelled.", "L'écriture est annulée.", "Der Posten ist storniert.";
    flash_uncanceled: "The entry holds again.", "L'écriture est rétablie.", "Der Posten gilt wieder.";
    flash_created: "The opportunity is created.", "L'opportunité est créée.", "Die Verkaufschance ist angelegt.";
    flash_moved: "The opportunity has moved on.", "L'opportunité a avancé.", "Die Verkaufschance ist weitergekommen.";
    flash_won: "Won. Congratulations!", "Gagnée. Félicitations !", "Gewonnen. Glückwunsch!";
    flash_lost: "The opportunity is closed.", "L'opportunité est clôturée.", "Die Verkaufschance ist abgeschlossen.";
    since: "From day", "Du", "Ab";
    until: "To day", "Au", "Bis";
    any: "Any", "Tous", "Alle";
    filter: "Filter", "Filtrer", "Filtern";
    reset: "Reset", "Réinitialiser", "Zurücksetzen";
    export: "Export", "Exporter", "Ausgeben";
    export_csv: "Table (CSV)", "Tableau (CSV)", "Tabelle (CSV)";
    export_json: "JSON lines", "Lignes JSON", "JSON-Zeilen";
    export_zip: "Originals (.zip)", "Originaux (.zip)", "Originale (.zip)";
    found: "mails found", "e-mails trouvés", "Mails gefunden";
    at_least: "At least", "Au moins", "Mindestens";
    found_one: "mail found", "e-mail trouvé", "Mail gefunden";
    total: "Total", "Total", "Gesamt";
    month: "Month", "Mois", "Monat";
    median_answer: "Usual time to answer", "Délai de réponse habituel", "Übliche Antwortzeit";
    days: "days", "jours", "Tage";
    last_mail: "Last mail", "Dernier e-mail", "Letzte Mail";
    data_table: "The numbers", "Les chiffres", "Die Zahlen";
    forbidden: "This form is too old, or comes from elsewhere.", "Ce formulaire est trop ancien ou vient d'ailleurs.", "Dieses Formular ist zu alt oder kommt von anderswo.";
    forbidden_remedy: "Open the page again and repeat it.", "Rouvrez la page et recommencez.", "Öffnen Sie die Seite noch einmal und wiederholen Sie es.";
    not_found_remedy: "It may have been removed, or the address is not complete.", "Elle a peut-être été supprimée, ou l'adresse est incomplète.", "Vielleicht wurde sie entfernt, oder die Adresse ist unvollständig.";
    bad_request: "This request is not complete.", "Cette demande est incomplète.", "Diese Anfrage ist unvollständig.";
    broken: "Something broke on our side.", "Quelque chose s'est cassé de notre côté.", "Bei uns ist etwas kaputtgegangen.";
    broken_remedy: "Try again. If it stays so, tell your administrator.", "Réessayez. Si cela persiste, prévenez votre administrateur.", "Versuchen Sie es noch einmal. Bleibt es so, sagen Sie es Ihrer Administration.";
    to_home: "To the start page", "Vers l'accueil", "Zur Startseite";
    assistant: "Assisted set-up", "Assistant de configuration", "Einrichtungsassistent";
    assistant_intro: "Page by page to a set-up that works. Nothing is stored before the end.", "Page par page vers une configuration qui fonctionne. Rien n'est enregistré avant la fin.", "Seite für Seite zu einer Einrichtung, die funktioniert. Vor dem Ende wird nichts gespeichert.";
    where_exchange: "Where is your Exchange?", "Où est votre Exchange ?", "Wo ist Ihr Exchange?";
    online: "Exchange Online (Microsoft 365)", "Exchange Online (Microsoft 365)", "Exchange Online (Microsoft 365)";
    on_premises: "Our own server", "Notre propre serveur", "Eigener Server";
    next: "Next", "Suivant", "Weiter";
    finish: "Finish", "Terminer", "Abschließen";
    leave: "Leave the assistant", "Quitter l'assistant", "Assistent verlassen";
    leave_sure: "Leave without finishing? Nothing is stored.", "Quitter sans terminer ? Rien n'est enregistré.", "Ohne Abschluss verlassen? Es wird nichts gespeichert.";
    stay: "Stay", "Rester", "Bleiben";
    instructions: "Instructions", "Instructions", "Anleitung";
    open_instructions: "Open the instructions", "Ouvrir les instructions", "Anleitung öffnen";
    show_plan: "Take the provisioning plan", "Prendre le plan de mise en service", "Bereitstellungsplan nehmen";
    plan: "Provisioning plan (PowerShell)", "Plan de mise en service (PowerShell)", "Bereitstellungsplan (PowerShell)";
    prepared: "Exchange is prepared", "Exchange est préparé", "Exchange ist vorbereitet";
    rules_exist: "The mail flow rules exist", "Les règles de flux existent", "Die Nachrichtenflussregeln sind vorhanden";
    not_yet: "Not yet", "Pas encore", "Noch nicht";
    check_connection: "Check the connection", "Vérifier la connexion", "Verbindung prüfen";
    look_up: "Look the folders up", "Rechercher les dossiers", "Ordner suchen";
    create_folders: "Create what is missing", "Créer ce qui manque", "Fehlendes anlegen";
    default_folders: "Use the default folders", "Utiliser les dossiers par défaut", "Standardordner verwenden";
    run_checks: "Run the checks", "Lancer les vérifications", "Prüfungen ausführen";
    start_job: "Start logging at once", "Démarrer la journalisation aussitôt", "Sofort mit dem Protokoll beginnen";
    working: "Checking…", "Vérification en cours…", "Wird geprüft…";
    step: "Step", "Étape", "Schritt";
    same_mail: "Other entries of this mail", "Autres écritures de cet e-mail", "Weitere Posten dieser Mail";
    tagline: "Everything your customers wrote, where you need it.", "Tout ce que vos clients ont écrit, là où il vous le faut.", "Alles, was Ihre Kunden schrieben, dort, wo Sie es brauchen.";
    sales_cycle: "Stages", "Étapes", "Stufen";
    the_administration: "Administration", "Administration", "Verwaltung";
    you_are: "You are", "Vous êtes", "Sie sind";
    who_are_you: "Who are you?", "Qui êtes-vous ?", "Wer sind Sie?";
    as_somebody_else: "Somebody else", "Quelqu'un d'autre", "Jemand anders";
    too_many_passwords: "Too many wrong passwords. Wait a moment, then try again.", "Trop de mots de passe erronés. Attendez un instant, puis réessayez.", "Zu viele falsche Kennwörter. Warten Sie einen Moment und versuchen Sie es dann noch einmal.";
    not_yours: "This is not yours to do.", "Cette action ne vous appartient pas.", "Das dürfen Sie nicht.";
    not_yours_remedy: "Ask the administration, or the salesperson whose mail it is.", "Demandez à l'administration ou au vendeur concerné.", "Fragen Sie die Verwaltung oder den Verkäufer, dessen Mail es ist.";
    sender_unknown: "Sender not verified", "Expéditeur non vérifié", "Absender nicht geprüft";
    sender_verified: "Sender verified", "Expéditeur vérifié", "Absender geprüft";
    sender_forged: "Sender forged", "Expéditeur falsifié", "Absender gefälscht";
    too_large: "The original is too large to be shown here. Download it.", "L'original est trop volumineux pour être affiché ici. Téléchargez-le.", "Das Original ist zu groß, um hier gezeigt zu werden. Laden Sie es herunter.";
    invitation: "Invitation", "Invitation", "Einladung";
    view_cut: "A part of the mail is left out here. The download has all of it.", "Une partie de l'e-mail est omise ici. Le téléchargement contient tout.", "Ein Teil der Mail ist hier ausgelassen. Der Download enthält alles.";
    blocked_images: "Remote pictures that were not loaded:", "Images distantes non chargées :", "Nicht geladene fremde Bilder:";
    blocked_other: "Other remote content that was not loaded:", "Autres contenus distants non chargés :", "Andere nicht geladene fremde Inhalte:";
    trackers: "Tracking pictures of:", "Images de suivi de :", "Zählbilder von:";
    show_quoted: "Show quoted text", "Afficher le texte cité", "Zitierten Text zeigen";
    show_text: "Show as text", "Afficher en texte", "Als Text zeigen";
    show_html: "Show with its layout", "Afficher avec sa mise en page", "Mit Gestaltung zeigen";
    open_in_exchange: "Open in Exchange", "Ouvrir dans Exchange", "In Exchange öffnen";
    only_metadata: "This mail belongs to others. What it says is not shown to you.", "Cet e-mail appartient à d'autres. Son contenu ne vous est pas montré.", "Diese Mail gehört anderen. Was darin steht, wird Ihnen nicht gezeigt.";
    not_shown: "(not shown)", "(non affiché)", "(nicht gezeigt)";
    conversation: "Conversation", "Conversation", "Unterhaltung";
    this_mail: "This mail", "Cet e-mail", "Diese Mail";
    private: "Private", "Privé", "Privat";
    held: "On hold", "Conservé", "Aufbewahrt";
    mark_private: "Mark as private", "Marquer comme privé", "Als privat markieren";
    share_again: "Share it again", "Le partager de nouveau", "Wieder teilen";
    private_note: "A private mail is shown to its own salespeople alone, and only they share it again.", "Un e-mail privé n'est montré qu'à ses propres vendeurs ; eux seuls le partagent de nouveau.", "Eine private Mail sehen nur ihre eigenen Verkäufer, und nur sie teilen sie wieder.";
    privacy: "Privacy", "Confidentialité", "Datenschutz";
    remove_mail: "Remove from the log…", "Supprimer du journal…", "Aus dem Protokoll entfernen…";
    remove_title: "Remove this mail?", "Supprimer cet e-mail ?", "Diese Mail entfernen?";
    remove_note: "It goes for everybody, with its original and every entry, and is not logged again. In Exchange nothing is changed. This cannot be undone.", "Il disparaît pour tous, avec l'original et toutes les écritures, et n'est plus journalisé. Rien ne change dans Exchange. C'est irréversible.", "Sie verschwindet für alle, mit Original und allen Posten, und wird nicht wieder protokolliert. In Exchange ändert sich nichts. Das lässt sich nicht rückgängig machen.";
    remove_yes: "Remove it", "Supprimer", "Entfernen";
    hold: "Keep whatever its age", "Conserver quel que soit l'âge", "Unabhängig vom Alter aufbewahren";
    release: "No longer keep it", "Ne plus le conserver", "Nicht länger aufbewahren";
    reason: "Reason", "Motif", "Grund";
    flash_private: "The mail is private.", "L'e-mail est privé.", "Die Mail ist privat.";
    flash_shared: "The mail is shared again.", "L'e-mail est de nouveau partagé.", "Die Mail ist wieder geteilt.";
    flash_held: "The mail is kept.", "L'e-mail est conservé.", "Die Mail wird aufbewahrt.";
    flash_released: "The mail goes when it is old enough.", "L'e-mail partira quand il sera assez ancien.", "Die Mail geht, wenn sie alt genug ist.";
    flash_removed: "The mail is removed.", "L'e-mail est supprimé.", "Die Mail ist entfernt.";
    edit: "Edit", "Modifier", "Bearbeiten";
    edit_contact: "Edit contact", "Modifier le contact", "Kontakt bearbeiten";
    edit_note: "The mail of a new address is logged for this contact. What is logged stays, also when its address goes.", "Les e-mails d'une nouvelle adresse sont journalisés pour ce contact. Ce qui est journalisé reste, même si l'adresse est retirée.", "Die Mails einer neuen Adresse werden bei diesem Kontakt protokolliert. Was protokolliert ist, bleibt, auch wenn die Adresse wegfällt.";
    unfounded_title: "Mail of an address that was taken away", "E-mails d'une adresse retirée", "Mails einer weggefallenen Adresse";
    unfounded_entries: "Entries of this contact whose mail names none of its addresses any more", "Écritures de ce contact dont l'e-mail ne nomme plus aucune de ses adresses", "Posten dieses Kontakts, deren Mail keine seiner Adressen mehr nennt";
    unfounded_note: "They are kept: mail with somebody who has a new address is still mail with this contact. If the address was wrong, cancel them. What somebody worked with stays in any case: an opportunity, a comment, an evaluation.", "Elles sont conservées : les e-mails échangés avec une personne qui a changé d'adresse restent ceux de ce contact. Si l'adresse était fausse, annulez-les. Ce sur quoi quelqu'un a travaillé reste dans tous les cas : opportunité, commentaire, évaluation.", "Sie bleiben: Mails mit jemandem, der eine neue Adresse hat, sind weiter Mails mit diesem Kontakt. War die Adresse falsch, stornieren Sie sie. Womit jemand gearbeitet hat, bleibt in jedem Fall: Verkaufschance, Bemerkung, Bewertung.";
    unfounded_none: "Every entry of this contact rests on one of its addresses.", "Chaque écriture de ce contact repose sur une de ses adresses.", "Jeder Posten dieses Kontakts beruht auf einer seiner Adressen.";
    unfounded_keep: "Keep them", "Les conserver", "Behalten";
    unfounded_cancel: "Cancel them", "Les annuler", "Stornieren";
    flash_withdrawn: "Entries that were cancelled:", "Écritures annulées :", "Stornierte Posten:";
    held_note: "This mail is on hold. The administration has to release it before it can be removed.", "Cet e-mail est conservé. L'administration doit lever la conservation avant qu'il puisse être supprimé.", "Diese Mail wird aufbewahrt. Die Verwaltung muss sie freigeben, bevor sie entfernt werden kann.";
    sold: "Sold for", "Vendue pour", "Verkauft für";
    estimated: "Estimated", "Estimé", "Geschätzt";
    amount: "Value", "Valeur", "Wert";
    calculated: "Calculated value", "Valeur calculée", "Berechneter Wert";
    won_value: "Sold in all", "Total vendu", "Summe verkauft";
    interactions: "Interactions", "Interactions", "Aktivitäten";
    no_mail_of_opportunity: "No mail of it that you may see.", "Aucun e-mail que vous puissiez voir.", "Keine Mail dazu, die Sie sehen dürfen.";
    merge_not_yours: "Only people of the same company are merged by a salesperson. Ask the administration.", "Un vendeur ne fusionne que des personnes de la même société. Demandez à l'administration.", "Ein Verkäufer führt nur Personen desselben Unternehmens zusammen. Fragen Sie die Verwaltung.";
    subject_note: "A .zip with every mail that names the person, its original, and what else is kept. Private mail is in it as well.", "Un .zip avec chaque e-mail nommant la personne, son original et tout ce qui est conservé. Les e-mails privés y figurent aussi.", "Eine .zip mit jeder Mail, die die Person nennt, ihrem Original und allem, was sonst aufbewahrt ist. Auch private Mails sind darin.";
    merge: "Merge", "Fusionner", "Zusammenführen";
    merge_title: "Merge with another contact", "Fusionner avec un autre contact", "Mit einem anderen Kontakt zusammenführen";
    merge_note: "Its addresses and open opportunities go to the contact that stays, and its mail is matched again. The card goes.", "Ses adresses et opportunités ouvertes passent au contact conservé et ses e-mails sont réexaminés. La fiche disparaît.", "Seine Adressen und offenen Verkaufschancen gehen an den Kontakt, der bleibt, und seine Mails werden neu zugeordnet. Die Karte verschwindet.";
    merged_numbers: "Mail under earlier numbers", "E-mails sous d'anciens numéros", "Mails unter früheren Nummern";
    merge_goes: "Goes", "Disparaît", "Geht";
    merge_stays: "Stays", "Reste", "Bleibt";
    second_email: "Second e-mail", "Deuxième e-mail", "Zweite E-Mail";
    several: "several with ;", "plusieurs avec ;", "mehrere mit ;";
    blocked: "Blocked for privacy", "Bloqué (confidentialité)", "Datenschutzsperre";
    customer: "Customer", "Client", "Kunde";
    rematch: "Match the mail again", "Réexaminer les e-mails", "Mails neu zuordnen";
    name_missing: "A contact needs a name.", "Un contact a besoin d'un nom.", "Ein Kontakt braucht einen Namen.";
    email_invalid: "That is not an e-mail address.", "Ce n'est pas une adresse e-mail.", "Das ist keine E-Mail-Adresse.";
    flash_not_matched: "Saved. The mail could not be matched again now: switch logging on, then match it on the card.", "Enregistré. Les e-mails n'ont pas pu être réexaminés : activez la journalisation, puis relancez depuis la fiche.", "Gespeichert. Die Mails konnten jetzt nicht neu zugeordnet werden: Schalten Sie das Protokoll ein und ordnen Sie sie auf der Karte neu zu.";
    flash_rematched: "Saved. Mails whose entries changed:", "Enregistré. E-mails dont les écritures ont changé :", "Gespeichert. Mails mit geänderten Posten:";
    flash_missing: "Originals that are not kept and are missing in the file:", "Originaux non conservés, absents du fichier :", "Nicht aufbewahrte Originale, die in der Datei fehlen:";
    contacts_found: "contacts", "contacts", "Kontakte";
    next_page: "Next page", "Page suivante", "Nächste Seite";
    page_before: "Previous page", "Page précédente", "Vorige Seite";
    not_closed: "Open", "Ouvertes", "Offen";
    skip_to: "Skip to", "Passer à", "Überspringen bis";
    jump_to: "Go back to", "Revenir à", "Zurück zu";
    skip_stage: "Skip", "Passer", "Überspringen";
    jump_stage: "Go back", "Revenir", "Zurückgehen";
    chance_percent: "Chance in %", "Chance en %", "Chance in %";
    close_date: "Expected close", "Clôture prévue", "Erwarteter Abschluss";
    cancel_tasks: "Cancel the open tasks", "Annuler les tâches ouvertes", "Offene Aufgaben stornieren";
    tasks: "Tasks", "Tâches", "Aufgaben";
    tick: "Done", "Terminée", "Erledigt";
    close_it: "Close the opportunity", "Clôturer l'opportunité", "Verkaufschance abschließen";
    sales_value: "Sales value (if won)", "Valeur de vente (si gagnée)", "Verkaufswert (wenn gewonnen)";
    quote: "Sales quote", "Devis", "Verkaufsangebot";
    quote_no: "Quote number", "Numéro du devis", "Angebotsnummer";
    quote_value: "Value of the quote", "Montant du devis", "Angebotswert";
    quote_needed: "The next stage asks for a sales quote.", "L'étape suivante demande un devis.", "Die nächste Stufe verlangt ein Verkaufsangebot.";
    assign_quote: "Assign the quote", "Affecter le devis", "Angebot zuordnen";
    take_quote_away: "Take the quote away", "Retirer le devis", "Angebot wegnehmen";
    order: "Make the order: won", "Passer la commande : gagnée", "Auftrag anlegen: gewonnen";
    flash_quote: "The quote is assigned.", "Le devis est affecté.", "Das Angebot ist zugeordnet.";
    flash_no_quote: "The opportunity has no quote any more.", "L'opportunité n'a plus de devis.", "Die Verkaufschance hat kein Angebot mehr.";
    choose_cycle: "Sales cycle", "Cycle de vente", "Verkaufszyklus";
    no_cycle: "It has no sales cycle yet. Choose one.", "Elle n'a pas encore de cycle de vente. Choisissez-en un.", "Sie hat noch keinen Verkaufszyklus. Wählen Sie einen.";
    with_tasks: "With the open tasks", "Avec les tâches ouvertes", "Mit den offenen Aufgaben";
    change: "Change", "Modifier", "Ändern";
    delete: "Delete", "Supprimer", "Löschen";
    delete_note: "Its history, comments and tasks go as well.", "Son historique, ses commentaires et ses tâches disparaissent aussi.", "Verlauf, Bemerkungen und Aufgaben gehen mit.";
    figures: "Stages in figures", "Étapes en chiffres", "Stufen in Zahlen";
    flash_task: "The task is done.", "La tâche est terminée.", "Die Aufgabe ist erledigt.";
    flash_deleted: "The opportunity is deleted.", "L'opportunité est supprimée.", "Die Verkaufschance ist gelöscht.";
    flash_won_customer: "Won. Congratulations! A customer from now on:", "Gagnée. Félicitations ! Désormais client :", "Gewonnen. Glückwunsch! Ab jetzt Kunde:";
    retention: "Old mail", "Anciens e-mails", "Alte Mails";
    retention_note: "Mail that an open opportunity was made of, or that is on hold, stays.", "Les e-mails d'une opportunité ouverte ou conservés restent.", "Mails einer offenen Verkaufschance und aufbewahrte Mails bleiben.";
    months_old: "Older than so many months", "Plus anciens que tant de mois", "Älter als so viele Monate";
    preview: "What would go?", "Que disparaîtrait-il ?", "Was würde gehen?";
    would_go: "This would go. Nothing is removed yet.", "Voici ce qui disparaîtrait. Rien n'est encore supprimé.", "Das würde gehen. Noch ist nichts entfernt.";
    gone: "This is gone.", "Voici ce qui a disparu.", "Das ist entfernt.";
    remove_now: "Remove it now", "Supprimer maintenant", "Jetzt entfernen";
    originals: "Originals", "Originaux", "Originale";
    decisions: "Decisions", "Décisions", "Entscheidungen";
    kept_opportunity: "Kept for an opportunity", "Conservés pour une opportunité", "Für eine Verkaufschance behalten";
    kept_held: "Kept on hold", "Conservés sur demande", "Auf Wunsch behalten";
    kept_waiting: "Kept: not delivered yet", "Conservés : pas encore livrés", "Behalten: noch nicht übergeben";
    kept_withdrawn: "Kept: no person cancelled them", "Conservés : annulés par personne", "Behalten: von niemandem storniert";
    canceled_entries: "Cancelled entries", "Écritures annulées", "Stornierte Posten";
    canceled_note: "They are deleted with their comments; a mail without another entry goes with its original.", "Elles sont supprimées avec leurs commentaires ; un e-mail sans autre écriture part avec son original.", "Sie werden mit ihren Bemerkungen gelöscht; eine Mail ohne weiteren Posten geht mit ihrem Original.";
    erase_person: "Erase a person", "Effacer une personne", "Eine Person löschen";
    erase_note: "Every mail that names the person goes, for everybody, and what else is known of the person.", "Tous les e-mails qui nomment la personne disparaissent, pour tous, ainsi que le reste.", "Jede Mail, die die Person nennt, verschwindet für alle, und was sonst bekannt ist.";
    contact_no: "Contact number", "Numéro de contact", "Kontaktnummer";
    never_again: "Never log the addresses again", "Ne plus jamais journaliser ces adresses", "Die Adressen nie wieder protokollieren";
    open_too: "Also if an opportunity is open", "Même si une opportunité est ouverte", "Auch wenn eine Verkaufschance offen ist";
    card_too: "The contact card as well", "La fiche du contact aussi", "Auch die Kontaktkarte";
    subject_export: "All that is kept about this person (.zip)", "Tout ce qui est conservé sur cette personne (.zip)", "Alles, was über diese Person aufbewahrt ist (.zip)";
    shared_addresses: "Others have these addresses too. Nothing is erased by them:", "D'autres ont aussi ces adresses. Rien n'est effacé par elles :", "Diese Adressen haben auch andere. Nach ihnen wird nichts gelöscht:";
    erase_now: "Erase the person now", "Effacer la personne maintenant", "Person jetzt löschen";
    looked_at: "There may be more. Of the newest mails, so many were looked through:", "Il peut y en avoir d'autres. Parmi les plus récents, nombre d'e-mails examinés :", "Es kann mehr geben. So viele der neuesten Mails wurden durchsucht:";
    the_entry: "Open the entry", "Ouvrir l'écriture", "Posten öffnen";
    excluded_warning: "This mail was left out on purpose. Log it only if you are sure.", "Cet e-mail a été exclu à dessein. Ne le journalisez que si vous êtes sûr.", "Diese Mail wurde absichtlich ausgenommen. Protokollieren Sie sie nur, wenn Sie sicher sind.";
    contact_hint: "Number or name", "Numéro ou nom", "Nummer oder Name";
    which_contact: "Which contact? These fit:", "Quel contact ? Ceux-ci correspondent :", "Welcher Kontakt? Diese passen:";
    nobody_fits: "No contact fits this.", "Aucun contact ne correspond.", "Kein Kontakt passt dazu.";
}
