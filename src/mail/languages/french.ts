import type { ReportLanguage } from './report-language.ts';

const later = 'Le problème est sans doute passager. Renvoyez le message plus tard.';
const postmaster =
  'L’administrateur du système destinataire peut en donner la raison ; transmettez-lui les informations à la fin.';

export const french: ReportLanguage = {
  tag: 'fr',
  kinds: {
    failed: {
      subject: 'Non remis',
      opening: 'Votre message n’a pas pu être remis à :',
      closing: 'Il n’y aura pas d’autre tentative. Renvoyez le message lorsque la cause aura disparu.',
    },
    delayed: {
      subject: 'Remise différée',
      opening: 'Votre message n’a pas encore été remis à :',
      closing:
        'Il est inutile de le renvoyer. Les tentatives continuent, et vous serez averti si la remise échoue définitivement.',
    },
    delivered: {
      subject: 'Remis',
      opening: 'Votre message a été remis à :',
      closing: 'Vous avez demandé ce rapport. Il ne signifie pas que le message a été lu.',
    },
    relayed: {
      subject: 'Relayé',
      opening: 'Votre message a été transmis au serveur responsable de :',
      closing:
        'Vous avez demandé à être averti de la remise. Ce serveur n’envoie pas de tels rapports : celui-ci est donc le dernier.',
    },
  },
  triedUntil: (date) => `Les tentatives continuent jusqu’au ${date}.`,
  reason: 'Raison',
  said: (host) => `Réponse de ${host}`,
  yourMessage: 'Votre message :',
  subject: 'Objet',
  accepted: 'Accepté',
  madeBy: (host) =>
    `Ce rapport a été établi par ${host}. La partie suivante s’adresse aux administrateurs et aux programmes.`,
  advice: {
    '1.0': 'L’adresse a été refusée. Vérifiez-la et renvoyez le message.',
    '1.1': 'Cette boîte aux lettres n’existe pas. Vérifiez l’orthographe de l’adresse et renvoyez le message.',
    '1.2': 'Ce domaine n’existe pas ou n’accepte pas de courrier. Vérifiez ce qui suit le @.',
    '1.3': 'L’adresse est mal formée. Vérifiez son orthographe.',
    '1.6': 'Le destinataire a changé d’adresse sans laisser la nouvelle. Demandez-la par un autre moyen.',
    '1.8': 'Votre propre adresse a été refusée car son domaine est inconnu. Votre administrateur peut y remédier.',
    '1.10': 'Le domaine indique qu’il n’accepte pas de courrier. Demandez une autre adresse.',
    '2.0': 'La boîte aux lettres ne peut pas recevoir le message. Contactez le destinataire par un autre moyen.',
    '2.1': 'La boîte aux lettres est désactivée. Contactez le destinataire par un autre moyen.',
    '2.2': 'La boîte aux lettres est pleine. Réessayez lorsque le destinataire aura fait de la place.',
    '2.3': 'Le message est trop volumineux pour cette boîte. Envoyez-le sans pièces jointes ou en plusieurs parties.',
    '3.4':
      'Le message est trop volumineux pour le système destinataire. Envoyez-le sans pièces jointes ou en plusieurs parties.',
    '4.1': 'Le serveur destinataire ne répond pas. Vérifiez ce qui suit le @, ou réessayez plus tard.',
    '4.4': 'Aucune route vers ce domaine n’a été trouvée. Vérifiez ce qui suit le @.',
    '4.6': 'Le message a tourné en boucle. Votre administrateur, ou celui du destinataire, doit corriger le routage.',
    '3.0': `Le système destinataire a une défaillance. ${later}`,
    '4.7': 'Le délai de remise est écoulé. Réessayez plus tard ou par un autre moyen.',
    '5.3': 'Le message a trop de destinataires. Envoyez-le à moins de destinataires à la fois.',
    '6.7':
      'Le système destinataire n’accepte pas les adresses ou les objets dans cette écriture. Demandez une adresse en caractères latins.',
    '7.1': `Le système destinataire n’autorise pas ce message. ${postmaster}`,
    '7.54': 'Le serveur contacté ne remet pas de courrier à ce domaine.',
    '0': 'Le système destinataire a refusé le message. Sa réponse ci-dessous en dit peut-être la raison ; sinon, son administrateur la connaît.',
    '1': 'Vérifiez que l’adresse est correcte.',
    '2': `La boîte aux lettres ne peut pas recevoir le message. ${later}`,
    '3': `Le système destinataire ne peut pas accepter le message. ${later}`,
    '4': `Le système destinataire n’a pas pu être joint. ${later}`,
    '6': 'Le système destinataire ne peut pas traiter la forme du message. Envoyez-le en texte brut ou sans pièces jointes.',
    '7': `Le système destinataire a refusé le message pour des raisons de sécurité. ${postmaster}`,
    other: postmaster,
  },
};
