/** RFC 5322 §3.3: `Tue, 01 Jul 2025 10:52:37 +0000`, from milliseconds since 1970. Always UTC, so that logs and fields agree. */
export function formatDate(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}
