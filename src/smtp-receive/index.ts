/**
 * Receiving mail by SMTP: from the accepted socket to the message in the queue. One listener for each binding, the
 * receive connector by the most specific remote range, one smtp-server instance for each connector, and a session that
 * checks the rights of its principal, asks the agents, and streams the content into a message sink: the queue, or a
 * proxy. RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531. It decides nothing about routes and keeps no
 * message.
 */

export { ConnectorTable } from './connector/connector-choice.ts';
export type { MessageSink, SinkContent } from './content/message-sink.ts';
export { NumberFiles } from './limits/shared-numbers.ts';
export { type MessageQueueing, QueueSink } from './queue-sink.ts';
export { ReceiveService } from './receive-service.ts';
export type { CertificateLogonRequest, LogonAnswer, LogonChecker, LogonRequest } from './rights/logon.ts';
export type { CertificatePicker, ReceiveParts } from './session/contract.ts';
