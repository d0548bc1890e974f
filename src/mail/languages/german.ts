import type { ReportLanguage } from './report-language.ts';

const later = 'Die Störung geht vermutlich vorüber. Senden Sie die Nachricht später noch einmal.';
const postmaster = 'Der Administrator des Empfängersystems kennt den Grund; geben Sie ihm die Angaben am Ende.';

export const german: ReportLanguage = {
  tag: 'de',
  kinds: {
    failed: {
      subject: 'Unzustellbar',
      opening: 'Ihre Nachricht konnte nicht zugestellt werden an:',
      closing: 'Es wird kein weiterer Versuch unternommen. Senden Sie die Nachricht neu, wenn die Ursache behoben ist.',
    },
    delayed: {
      subject: 'Zustellung verzögert',
      opening: 'Ihre Nachricht ist noch nicht zugestellt an:',
      closing:
        'Sie müssen nichts tun. Die Zustellung wird weiter versucht; Sie erhalten Bescheid, wenn sie endgültig scheitert.',
    },
    delivered: {
      subject: 'Zugestellt',
      opening: 'Ihre Nachricht wurde zugestellt an:',
      closing: 'Sie haben diesen Bericht angefordert. Er bedeutet nicht, dass die Nachricht gelesen wurde.',
    },
    relayed: {
      subject: 'Weitergeleitet',
      opening: 'Ihre Nachricht wurde an den Server übergeben, der zuständig ist für:',
      closing:
        'Sie wollten von der Zustellung erfahren. Jener Server versendet keine solchen Berichte; dies ist daher der letzte.',
    },
  },
  triedUntil: (date) => `Die Zustellung wird versucht bis ${date}.`,
  reason: 'Grund',
  said: (host) => `Antwort von ${host}`,
  yourMessage: 'Ihre Nachricht:',
  subject: 'Betreff',
  accepted: 'Angenommen',
  madeBy: (host) =>
    `Dieser Bericht wurde von ${host} erstellt. Der folgende Teil ist für Administratoren und Programme bestimmt.`,
  advice: {
    '1.0': 'Die Adresse wurde abgelehnt. Prüfen Sie sie und senden Sie die Nachricht noch einmal.',
    '1.1':
      'Dieses Postfach gibt es nicht. Prüfen Sie die Schreibweise der Adresse und senden Sie die Nachricht erneut.',
    '1.2': 'Diese Domäne gibt es nicht, oder sie nimmt keine Post an. Prüfen Sie die Schreibweise hinter dem @.',
    '1.3': 'Die Adresse ist nicht richtig aufgebaut. Prüfen Sie ihre Schreibweise.',
    '1.6': 'Der Empfänger hat eine neue Adresse, die hier nicht bekannt ist. Fragen Sie ihn auf anderem Weg danach.',
    '1.8':
      'Ihre eigene Adresse wurde abgelehnt, weil ihre Domäne nicht bekannt ist. Ihr Administrator kann das beheben.',
    '1.10': 'Die Domäne gibt an, dass sie keine Post annimmt. Fragen Sie nach einer anderen Adresse.',
    '2.0': 'Das Postfach kann die Nachricht nicht annehmen. Erreichen Sie den Empfänger auf anderem Weg.',
    '2.1': 'Das Postfach ist abgeschaltet. Erreichen Sie den Empfänger auf anderem Weg.',
    '2.2': 'Das Postfach ist voll. Versuchen Sie es wieder, wenn der Empfänger Platz geschaffen hat.',
    '2.3': 'Die Nachricht ist zu groß für dieses Postfach. Senden Sie sie ohne Anlagen oder in Teilen.',
    '3.4': 'Die Nachricht ist zu groß für das Empfängersystem. Senden Sie sie ohne Anlagen oder in Teilen.',
    '4.1': 'Der Empfängerserver antwortet nicht. Prüfen Sie den Teil hinter dem @, oder versuchen Sie es später.',
    '4.4': 'Es wurde kein Weg zu dieser Domäne gefunden. Prüfen Sie die Schreibweise hinter dem @.',
    '4.6':
      'Die Nachricht lief im Kreis. Ihr Administrator oder der des Empfängers muss die Weiterleitung in Ordnung bringen.',
    '3.0': `Das Empfängersystem hat einen Fehler. ${later}`,
    '4.7': 'Die Frist für die Zustellung ist abgelaufen. Versuchen Sie es später oder auf anderem Weg.',
    '5.3': 'Die Nachricht hat zu viele Empfänger. Senden Sie sie an weniger Empfänger auf einmal.',
    '6.7':
      'Das Empfängersystem nimmt Adressen oder Betreffe in dieser Schrift nicht an. Fragen Sie nach einer Adresse in lateinischen Buchstaben.',
    '7.1': `Das Empfängersystem lässt diese Nachricht nicht zu. ${postmaster}`,
    '7.54': 'Der angesprochene Server stellt nicht an diese Domäne zu.',
    '0': 'Das Empfängersystem hat die Nachricht abgelehnt. Seine Antwort unten nennt vielleicht den Grund; sonst kennt ihn sein Administrator.',
    '1': 'Prüfen Sie, ob die Adresse stimmt.',
    '2': `Das Postfach kann die Nachricht nicht annehmen. ${later}`,
    '3': `Das Empfängersystem kann die Nachricht nicht annehmen. ${later}`,
    '4': `Das Empfängersystem war nicht zu erreichen. ${later}`,
    '6': 'Das Empfängersystem kann die Form der Nachricht nicht verarbeiten. Senden Sie sie als reinen Text oder ohne Anlagen.',
    '7': `Das Empfängersystem hat die Nachricht aus Gründen der Sicherheit abgelehnt. ${postmaster}`,
    other: postmaster,
  },
};
