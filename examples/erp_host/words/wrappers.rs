//! What an original is wrapped in, in words.

use super::{Table, table};

/// By code, behind `wrapper.`.
pub(super) const TABLE: Table = table! {
    "wrapper.smime-signed": "Signed (S/MIME). The signature was not checked.", "Signé (S/MIME). La signature n'a pas été vérifiée.", "Signiert (S/MIME). Die Signatur wurde nicht geprüft.";
    "wrapper.smime-opaque-signed": "Wrapped in its signature (S/MIME). Download the original to read it in a mail program.", "Enveloppé dans sa signature (S/MIME). Téléchargez l'original pour le lire dans une messagerie.", "In ihre Signatur verpackt (S/MIME). Laden Sie das Original herunter, um sie in einem Mailprogramm zu lesen.";
    "wrapper.smime-encrypted": "Encrypted (S/MIME). Only its recipients can read it, in their mail program.", "Chiffré (S/MIME). Seuls ses destinataires peuvent le lire, dans leur messagerie.", "Verschlüsselt (S/MIME). Nur ihre Empfänger können sie lesen, in ihrem Mailprogramm.";
    "wrapper.smime-other": "An S/MIME container. Download the original to open it.", "Un conteneur S/MIME. Téléchargez l'original pour l'ouvrir.", "Ein S/MIME-Behälter. Laden Sie das Original herunter, um ihn zu öffnen.";
    "wrapper.pgp-signed": "Signed (OpenPGP). The signature was not checked.", "Signé (OpenPGP). La signature n'a pas été vérifiée.", "Signiert (OpenPGP). Die Signatur wurde nicht geprüft.";
    "wrapper.pgp-encrypted": "Encrypted (OpenPGP). Only its recipients can read it, in their mail program.", "Chiffré (OpenPGP). Seuls ses destinataires peuvent le lire, dans leur messagerie.", "Verschlüsselt (OpenPGP). Nur ihre Empfänger können sie lesen, in ihrem Mailprogramm.";
    "wrapper.tnef": "Outlook's rich text format (winmail.dat). Its attachments are listed.", "Format de texte enrichi d'Outlook (winmail.dat). Ses pièces jointes sont listées.", "Rich-Text-Format von Outlook (winmail.dat). Ihre Anhänge sind aufgeführt.";
    "wrapper.partial": "One piece of a mail that was sent in several.", "Un morceau d'un e-mail envoyé en plusieurs parties.", "Ein Stück einer Mail, die in mehreren gesendet wurde.";
    "wrapper.external-body": "A part of it lies elsewhere. It was not fetched.", "Une partie se trouve ailleurs. Elle n'a pas été chargée.", "Ein Teil liegt anderswo. Er wurde nicht geholt.";
};
