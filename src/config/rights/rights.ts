/**
 * The extended rights of connectors, each with the GUID that stands for it in an access control entry. The GUIDs of the
 * three Accept-Headers rights and of Bypass-Anti-Spam are Exchange's; no public list has the others, so those are this
 * product's own (all begin with ed6e). An entry copied from an Exchange server must have them replaced.
 */
const rightGuids = {
  'ms-Exch-SMTP-Submit': 'ed6e0001-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-Any-Recipient': 'ed6e0002-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-Any-Sender': 'ed6e0003-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender': 'ed6e0004-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-Authentication-Flag': 'ed6e0005-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-Exch50': 'ed6e0006-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-Accept-Headers-Routing': '04031f4f-7c36-43ea-9b49-4bd0f5f1e6af',
  'ms-Exch-Accept-Headers-Organization': 'c307dccd-6676-4d19-95c8-d1567fab9820',
  'ms-Exch-Accept-Headers-Forest': 'a7a9ea66-e08c-4e23-8fe7-68c40e49c6c0',
  'ms-Exch-Bypass-Anti-Spam': 'd19299b4-86c2-4c9a-8fa7-acb70c63023a',
  'ms-Exch-Bypass-Message-Size-Limit': 'ed6e0007-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XAttr': 'ed6e0008-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XProxyFrom': 'ed6e0009-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XSessionParams': 'ed6e000a-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XShadow': 'ed6e000b-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XSysProbe': 'ed6e000c-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XMessageContext-ADRecipientCache': 'ed6e000d-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XMessageContext-ExtendedProperties': 'ed6e000e-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Accept-XMessageContext-FastIndex': 'ed6e000f-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-Send-Headers-Routing': 'ed6e0010-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-Send-Headers-Organization': 'ed6e0011-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-Send-Headers-Forest': 'ed6e0012-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Send-Exch50': 'ed6e0013-5e1f-4c6d-9a51-2f3b8f0c7a01',
  'ms-Exch-SMTP-Send-XShadow': 'ed6e0014-5e1f-4c6d-9a51-2f3b8f0c7a01',
} as const;

/** An extended right, by Exchange's name. */
export type Right = keyof typeof rightGuids;

/** Every right, in the order of the table. */
export const rights = Object.keys(rightGuids) as readonly Right[];

const rightsByGuid: ReadonlyMap<string, Right> = new Map(rights.map((right) => [rightGuids[right], right]));
const rightsByName: ReadonlyMap<string, Right> = new Map(rights.map((right) => [right.toLowerCase(), right]));

/** The GUID of a right, lower case. */
export function guidOfRight(right: Right): string {
  return rightGuids[right];
}

/** The right that a GUID stands for. */
export function rightOfGuid(guid: string): Right | undefined {
  return rightsByGuid.get(guid.toLowerCase());
}

/** The right of this name, in any case. */
export function rightOfName(name: string): Right | undefined {
  return rightsByName.get(
    name
      .trim()
      .replace(/[\u2010-\u2015]/g, '-')
      .toLowerCase(),
  );
}

/** Rights that are kept and shown, and that nothing asks for: what each would allow is not spoken here. */
const idleRights: Readonly<Partial<Record<Right, string>>> = {
  'ms-Exch-SMTP-Accept-Exch50': 'XEXCH50, of Exchange 2003, is not offered',
  'ms-Exch-SMTP-Send-Exch50': 'XEXCH50, of Exchange 2003, is not sent',
  'ms-Exch-SMTP-Accept-XAttr': 'XATTR, of Exchange Online, is not offered',
  'ms-Exch-SMTP-Accept-XProxyFrom':
    'XPROXYFROM is of Front End Transport services; balancers are named by -XClientBalancers',
  'ms-Exch-SMTP-Accept-XSessionParams': 'XSESSIONPARAMS, of Exchange Online, is not offered',
  'ms-Exch-SMTP-Accept-XShadow': 'shadow redundancy is a function of Mailbox servers',
  'ms-Exch-SMTP-Send-XShadow': 'shadow redundancy is a function of Mailbox servers',
  'ms-Exch-SMTP-Accept-XSysProbe': 'probes of Exchange are not told apart from other mail',
  'ms-Exch-SMTP-Accept-XMessageContext-ADRecipientCache': 'XMESSAGECONTEXT is spoken among Mailbox servers alone',
  'ms-Exch-SMTP-Accept-XMessageContext-ExtendedProperties': 'XMESSAGECONTEXT is spoken among Mailbox servers alone',
  'ms-Exch-SMTP-Accept-XMessageContext-FastIndex': 'XMESSAGECONTEXT is spoken among Mailbox servers alone',
};

/** Why a right has no effect here; undefined: it has. */
export function withoutEffect(right: Right): string | undefined {
  return idleRights[right];
}
