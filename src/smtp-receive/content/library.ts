/**
 * smtp-server's classes, from its CommonJS build. The ES build imports node:http, whose exports bring Node's HTTP/2 and
 * fetch along: 2.5 MB in each worker, for nothing. The two builds are separate, so it must be this one everywhere.
 */
import { createRequire } from 'node:module';
import type * as server from 'smtp-server';
import type * as connection from 'smtp-server/lib/smtp-connection.js';
import type * as stream from 'smtp-server/lib/smtp-stream.js';

const load = createRequire(import.meta.url);

export const { SMTPServer } = load('smtp-server') as typeof server;
export const { SMTPConnection, verifyPeerCertificate } = load(
  'smtp-server/lib/smtp-connection.js',
) as typeof connection;
export const { SMTPStream } = load('smtp-server/lib/smtp-stream.js') as typeof stream;
