import type { Socket } from 'node:net';
import type { ConnectorProfile } from './connector/connector-profile.ts';
import { SMTPServer } from './content/library.ts';
import { type ConnectionOwner, EdgeConnection } from './edge-connection.ts';
import type { SessionOrigin, SessionParts } from './session/session-parts.ts';

/** The smtp-server instance of one receive connector. It never listens: sockets are handed to it. */
export class EdgeServer extends SMTPServer {
  readonly profile: ConnectorProfile;

  constructor(profile: ConnectorProfile) {
    super({ name: profile.fqdn, logger: false, authOptional: true, disabledCommands: ['AUTH'] });
    this.profile = profile;
  }

  /** Takes an accepted socket. */
  take(socket: Socket, origin: SessionOrigin, parts: SessionParts, owner: ConnectionOwner): EdgeConnection {
    const connection = new EdgeConnection(this, socket, origin, parts, owner);
    this.connections.add(connection);
    connection.init();
    return connection;
  }

  /** The library would make a context from a key that is published in its sources; ours come with STARTTLS. */
  override updateSecureContext(): void {
    this.secureContext = new Map();
  }
}
