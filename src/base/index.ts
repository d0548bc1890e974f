/**
 * What every room may lean on and what knows no mail: clock, identifiers, units of size and time, address ranges, endpoints,
 * file writes that survive a crash, text made fit to be shown, local faults.
 */

export { BlockPool } from './block-pool.ts';
export { formatByteSize, parseByteSize } from './bytes.ts';
export { type Clock, systemClock } from './clock.ts';
export { coalesced } from './coalesced.ts';
export { commitReason } from './commit-reason.ts';
export { localDate, parseDate } from './dates.ts';
export { type Endpoint, formatEndpoint } from './endpoint.ts';
export { FairTurns, type Pace, unpaced } from './fair-turns.ts';
export { type Fault, FaultList, type FaultReport, unreported } from './faults.ts';
export { FoundFaults } from './found-faults.ts';
export { HeldShares, type Share } from './held-share.ts';
export { newGuid, SessionIds } from './ids.ts';
export {
  contains,
  extent,
  formatIp,
  type IpNumber,
  type IpRange,
  parseIp,
  parseIpRange,
  plainIpv4,
  sourceNetwork,
} from './ip-range.ts';
export { joined } from './joined.ts';
export { keyDigest, keyDigestOf } from './key-digest.ts';
export { type ListenSource, listening } from './listening.ts';
export { makeFolder } from './make-folder.ts';
export { MovingLimit } from './moving-limit.ts';
export { nearestName, nearestNameHint } from './nearest-name.ts';
export { ReadGarbage } from './read-garbage.ts';
export { fillDraft, replaceFile, syncFolder } from './safe-file.ts';
export {
  finite,
  flag,
  list,
  maybe,
  nothing,
  oneOf,
  pair,
  record,
  type Shape,
  text,
  unread,
  whole,
} from './shape.ts';
export { LineCutter } from './text/line-cutter.ts';
export {
  cellText,
  escapedJson,
  longestLogged,
  printable,
  printableJson,
  printableLines,
  spreadsheetCell,
} from './text/printable-text.ts';
export { formatTimeSpan, parseTimeSpan } from './time-span.ts';
export { wildcardTest } from './wildcard.ts';
