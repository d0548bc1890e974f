/** What a report says to a person: what happened, and what can be done. */

const later = 'The trouble is likely to pass. Send the message again later.';
const postmaster = 'The administrator of the receiving system can tell why; give him the information at the end.';

export const english = {
  tag: 'en',
  kinds: {
    failed: {
      subject: 'Undeliverable',
      opening: 'Your message could not be delivered to:',
      closing: 'It will not be tried again. Send it anew once the cause is out of the way.',
    },
    delayed: {
      subject: 'Delivery delayed',
      opening: 'Your message has not been delivered yet to:',
      closing: 'You need not send it again. Delivery is still being tried, and you will be told if it fails for good.',
    },
    delivered: {
      subject: 'Delivered',
      opening: 'Your message was delivered to:',
      closing: 'You asked for this report. It does not mean that the message was read.',
    },
    relayed: {
      subject: 'Relayed',
      opening: 'Your message was handed on to the server responsible for:',
      closing: 'You asked to be told of the delivery. That server does not send such reports, so this is the last one.',
    },
  },
  triedUntil: (date: string) => `It is tried until ${date}.`,
  reason: 'Reason',
  said: (host: string) => `${host} said`,
  yourMessage: 'Your message:',
  subject: 'Subject',
  accepted: 'Accepted',
  madeBy: (host: string) =>
    `This report was made by ${host}. The part that follows is for administrators and programs.`,
  advice: {
    '1.0': 'The address was refused. Check that it is right, and send the message again.',
    '1.1': 'There is no such mailbox. Check the address for misspellings, and send the message again.',
    '1.2': 'There is no such domain, or it takes no mail. Check the part behind the @ for misspellings.',
    '1.3': 'The address is not well-formed. Check it for misspellings.',
    '1.6': 'The recipient has moved and left no new address. Ask for it by another way.',
    '1.8': 'Your own address was refused because its domain is not known. Your administrator can mend that.',
    '1.10': 'The domain says that it takes no mail. Ask for another address.',
    '2.0': 'The mailbox cannot take the message. Ask the recipient by another way.',
    '2.1': 'The mailbox is switched off. Ask the recipient by another way.',
    '2.2': 'The mailbox is full. Try again when the recipient has made room.',
    '2.3': 'The message is too large for this mailbox. Send it without attachments, or in parts.',
    '3.4': 'The message is too large for the receiving system. Send it without attachments, or in parts.',
    '4.1': 'The receiving server does not answer. Check the part behind the @, or try again later.',
    '4.4': 'No way to this domain was found. Check the part behind the @ for misspellings.',
    '4.6': 'The message went in a circle. Your administrator, or that of the recipient, has to mend the routing.',
    '3.0': `The receiving system has a fault. ${later}`,
    '4.7': 'It was tried until the time was up. Try again later, or reach the recipient by another way.',
    '5.3': 'The message has too many recipients. Send it to fewer at a time.',
    '6.7':
      'The receiving system does not take addresses or subjects in this script. Ask for an address in plain letters.',
    '7.1': `The receiving system does not allow this message. ${postmaster}`,
    '7.54': 'The server that was asked does not deliver to this domain.',
    '0': 'The receiving system refused the message. Its words below may say why; else its administrator can.',
    '1': 'Check that the address is right.',
    '2': `The mailbox cannot take the message. ${later}`,
    '3': `The receiving system cannot take the message. ${later}`,
    '4': `The receiving system could not be reached. ${later}`,
    '6': 'The receiving system cannot handle the form of the message. Send it as plain text, or without attachments.',
    '7': `The receiving system refused the message for reasons of security. ${postmaster}`,
    other: postmaster,
  },
};
