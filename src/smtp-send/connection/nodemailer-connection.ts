/**
 * nodemailer's SMTP connection with the part that its declarations leave out. We lean on these internals, so the version
 * is pinned and `test/smtp-send/library-behaviour.test.ts` fails when one of them goes.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';

/** What nodemailer waits for next; called with the whole reply, lines joined by LF. */
export type ResponseAction = (this: unknown, reply: string) => void;

export interface ConnectionInternals {
  _responseActions: ResponseAction[];
  _destroyed: boolean;
  _socket: Socket;
  upgrading?: boolean | undefined;
  _onData(chunk: Buffer): void;
  _onError(error: unknown, type: string, reply: string | false, command: string): void;
  _onClose(): void;
  _clearPhase(): void;
  _parseEhloExtensions(reply: string): void;
  _upgradeConnection(done: (error: Error | null, secured?: boolean) => void): void;
  _actionGreeting(reply: string): void;
  _actionHELO(reply: string): void;
  _actionSTARTTLS(reply: string): void;
  _sendCommand(text: string, logged?: string): void;
}

type Declared = Omit<SMTPConnection, '_socket' | 'upgrading'>;

// The CommonJS build: the ES one imports node:http, and with it Node's HTTP/2 and fetch into each worker's memory.
export const NodemailerConnection = createRequire(import.meta.url)('nodemailer/lib/smtp-connection') as new (
  options: SMTPConnectionOptions,
) => Declared & ConnectionInternals;
