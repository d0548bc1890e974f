/** Controls the server knows: one row each, from which the root DSE, the decoding and the refusals come. RFC 4511 §4.1.11. */
import { type Filter, LdapError } from '../../../ldap/index.ts';
import { BerFault } from './ber-reader.ts';
import {
  type DirSyncRequest,
  type PageRequest,
  type PersistentRequest,
  readAssertion,
  readDirSync,
  readPage,
  readPersistent,
  readSelection,
  readSortKeys,
  readSyncRequest,
  type SortKey,
  type SyncRequest,
} from './control-values.ts';
import type { FilterLimits } from './decode-filter.ts';
import type { RawControl, RequestKind } from './request.ts';

/** The controls of one request, decoded. */
export interface RequestControls {
  readonly paged?: PageRequest;
  readonly sort?: { readonly keys: readonly SortKey[]; readonly critical: boolean };
  readonly assertion?: Filter;
  readonly preRead?: readonly string[];
  readonly postRead?: readonly string[];
  readonly treeDelete?: true;
  readonly showDeleted?: true;
  readonly sync?: SyncRequest;
  readonly persistent?: PersistentRequest;
  readonly dirSync?: DirSyncRequest;
}

export const controlOids = {
  paged: '1.2.840.113556.1.4.319',
  sortRequest: '1.2.840.113556.1.4.473',
  sortResponse: '1.2.840.113556.1.4.474',
  assertion: '1.3.6.1.1.12',
  preRead: '1.3.6.1.1.13.1',
  postRead: '1.3.6.1.1.13.2',
  manageDsaIt: '2.16.840.1.113730.3.4.2',
  treeDelete: '1.2.840.113556.1.4.805',
  showDeleted: '1.2.840.113556.1.4.417',
  domainScope: '1.2.840.113556.1.4.1339',
  syncRequest: '1.3.6.1.4.1.4203.1.9.1.1',
  syncState: '1.3.6.1.4.1.4203.1.9.1.2',
  syncDone: '1.3.6.1.4.1.4203.1.9.1.3',
  persistentSearch: '2.16.840.1.113730.3.4.3',
  entryChange: '2.16.840.1.113730.3.4.7',
  dirSync: '1.2.840.113556.1.4.841',
  notification: '1.2.840.113556.1.4.528',
} as const;

interface ControlRow {
  readonly oid: string;
  /** Operations it means something for. */
  readonly on: readonly RequestKind[];
  /** Without it the control has no value. */
  readonly read?: (value: Buffer, limits: FilterLimits, critical: boolean) => RequestControls;
  /** For a control without a value. */
  readonly given?: RequestControls;
}

const updates: readonly RequestKind[] = ['add', 'modify', 'delete', 'modifyDn'];

const rows: readonly ControlRow[] = [
  { oid: controlOids.paged, on: ['search'], read: (value) => ({ paged: readPage(value) }) },
  {
    oid: controlOids.sortRequest,
    on: ['search'],
    read: (value, _, critical) => ({ sort: { keys: readSortKeys(value), critical } }),
  },
  {
    oid: controlOids.assertion,
    on: ['search', 'compare', ...updates],
    read: (value, limits) => ({ assertion: readAssertion(value, limits) }),
  },
  {
    oid: controlOids.preRead,
    on: ['modify', 'delete', 'modifyDn'],
    read: (value) => ({ preRead: readSelection(value) }),
  },
  {
    oid: controlOids.postRead,
    on: ['add', 'modify', 'modifyDn'],
    read: (value) => ({ postRead: readSelection(value) }),
  },
  // RFC 3296: no entry here is a referral, so every request is already about the entries themselves.
  { oid: controlOids.manageDsaIt, on: ['search', 'compare', ...updates], given: {} },
  { oid: controlOids.treeDelete, on: ['delete'], given: { treeDelete: true } },
  {
    oid: controlOids.showDeleted,
    on: ['search', 'compare', 'modify', 'delete', 'modifyDn'],
    given: { showDeleted: true },
  },
  // [MS-ADTS] 3.1.1.3.4.1.4: asks for no continuation references; there never are any.
  { oid: controlOids.domainScope, on: ['search'], given: {} },
  { oid: controlOids.syncRequest, on: ['search'], read: (value) => ({ sync: readSyncRequest(value) }) },
  { oid: controlOids.persistentSearch, on: ['search'], read: (value) => ({ persistent: readPersistent(value) }) },
  { oid: controlOids.dirSync, on: ['search'], read: (value) => ({ dirSync: readDirSync(value) }) },
  // [MS-ADTS] 3.1.1.3.4.1.9: entries as they change, without a word about what it was.
  {
    oid: controlOids.notification,
    on: ['search'],
    given: { persistent: { changeTypes: 15, changesOnly: true, returnChanges: false } },
  },
];

const byOid: ReadonlyMap<string, ControlRow> = new Map(rows.map((row) => [row.oid, row]));

/** OIDs for the root DSE: what a client may send and what it may be sent. */
export const supportedControls: readonly string[] = [
  ...rows.map(({ oid }) => oid),
  controlOids.sortResponse,
  controlOids.syncState,
  controlOids.syncDone,
  controlOids.entryChange,
];

/**
 * Decodes the controls of a request. An unknown or unfitting one is passed over, or when critical refused with
 * unavailableCriticalExtension. Throws LdapError.
 */
export function decodeControls(
  controls: readonly RawControl[],
  kind: RequestKind,
  limits: FilterLimits,
): RequestControls {
  let decoded: RequestControls = {};
  const seen = new Set<string>();
  for (const control of controls) {
    const row = byOid.get(control.oid);
    if (row === undefined || !row.on.includes(kind)) {
      if (!control.critical) continue;
      throw new LdapError('unavailableCriticalExtension', `control ${control.oid} is not available here`);
    }
    if (seen.has(control.oid)) throw new LdapError('protocolError', `control ${control.oid} is given twice`);
    seen.add(control.oid);
    decoded = { ...decoded, ...read(row, control, limits) };
  }
  return decoded;
}

function read(row: ControlRow, { oid, critical, value }: RawControl, limits: FilterLimits): RequestControls {
  if (row.read === undefined) return row.given ?? {};
  if (value === undefined) throw new LdapError('protocolError', `control ${oid} needs a value`);
  try {
    return row.read(value, limits, critical);
  } catch (cause) {
    if (cause instanceof BerFault)
      throw new LdapError('protocolError', `value of control ${oid}: ${cause.message}`, { cause });
    throw cause;
  }
}
