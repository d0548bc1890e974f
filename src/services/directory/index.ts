/** The process that owns the directory and its LDAP face, the certificates' making, and the management endpoint. */
import './directory-service.ts';
