/**
 * Receiving mail by SMTP: from the accepted socket to the message in the queue. One listener for each binding, the
 * receive connector by the most specific remote range, one smtp-server instance for each connector, and a session that
 * checks rights, asks the agents, and streams the content into the queue's writer. RFC 5321, 1870, 2034, 2920, 3207,
 * 3461, 6152, 6531. It decides nothing about routes and keeps no message. Left out so far: AUTH, CHUNKING, BINARYMIME,
 * PROXY protocol, tarpit and message rate.
 */

export type {
  Binding,
  CertificatePicker,
  MessageSink,
  ReceiveParts,
  SessionState,
} from './contract.ts';
export { type Listener, type ListenSource, ReceiveService } from './receive-service.ts';
