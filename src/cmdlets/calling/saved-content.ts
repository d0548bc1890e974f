/** Octets of an object's property, in base64, that are no output but the content of the file that the parameter names. */
export interface SavedContent {
  readonly parameter: string;
  readonly property: string;
}

const rows: Readonly<Record<string, SavedContent>> = {
  'new-edgesubscription': { parameter: 'FileName', property: 'FileData' },
};

/**
 * What of a cmdlet's output the caller writes to a file, with its own rights and for itself alone. It stands here and in no
 * description that comes from elsewhere: which files a line writes is decided by its caller.
 */
export function savedContent(cmdlet: string): SavedContent | undefined {
  return rows[cmdlet.toLowerCase()];
}
