/** Get- and Set-RecipientFilterConfig. */
import { recipientFilterConfig } from '../../config/index.ts';
import type { ObjectKind } from './object-kind.ts';

/** The recipient filter. */
export const recipientFilterConfigKind: ObjectKind<typeof recipientFilterConfig.properties> = {
  table: recipientFilterConfig,
  verbs: ['Get', 'Set'],
  view: { kind: 'list', columns: [] },
  extensions: { Set: ['RecipientValidationStale', 'RecipientValidationStaleAfter'] },
  examples: {
    Get: [{ line: 'Get-RecipientFilterConfig', says: 'How recipients are looked at.' }],
    Set: [
      {
        line: 'Set-RecipientFilterConfig -RecipientValidationEnabled $true',
        says: 'Unknown recipients are refused, once EdgeSync has replicated the known ones.',
      },
    ],
  },
  warn: ({ context }, { recipientValidationEnabled }) => {
    const { edgeSync } = context;
    if (recipientValidationEnabled && edgeSync?.kind === 'edge' && !edgeSync.subscribed)
      context.warning(
        'This server is not subscribed: until EdgeSync has replicated recipients, every recipient is taken. Begin with New-EdgeSubscription.',
      );
  },
};
