/** How EdgeSync runs for the edges of one site: Exchange's EdgeSyncServiceConfig, as far as it has an effect here. */

/** Times in seconds. */
export interface ServiceConfig {
  /** Site of Active Directory whose edges it is about. */
  readonly site: string;
  readonly configurationSyncInterval: number;
  readonly recipientSyncInterval: number;
  /** Age after which everything is read again instead of what changed. */
  readonly cookieValidDuration: number;
  /** How long a lease on an edge holds without being taken again. */
  readonly lockDuration: number;
}

/** The part of the settings that this is about; times in seconds. */
export interface ServiceSettings {
  readonly configurationInterval: number;
  readonly recipientInterval: number;
  readonly services?: readonly ServiceConfig[];
}

export const serviceDefaults: Omit<ServiceConfig, 'site'> = {
  configurationSyncInterval: 180,
  recipientSyncInterval: 300,
  cookieValidDuration: 21 * 86_400,
  lockDuration: 360,
};

/** What is in force for a site. */
export function serviceConfigOf(settings: ServiceSettings, site: string): ServiceConfig {
  const own = settings.services?.find((one) => one.site.toLowerCase() === site.toLowerCase());
  const { configurationInterval, recipientInterval } = settings;
  return {
    ...serviceDefaults,
    configurationSyncInterval: configurationInterval,
    recipientSyncInterval: recipientInterval,
    site,
    ...own,
  };
}

/** The settings with this one in the place of the one of its site. */
export function withServiceConfig<T extends ServiceSettings>(settings: T, config: ServiceConfig): T {
  const others = (settings.services ?? []).filter(({ site }) => site.toLowerCase() !== config.site.toLowerCase());
  return { ...settings, services: [...others, config] };
}

/** The shortest of the sites, for what is done for all of them at once. */
export function shortest(
  configs: readonly ServiceConfig[],
  field: keyof Omit<ServiceConfig, 'site'>,
  otherwise: number,
): number {
  return configs.length === 0 ? otherwise : Math.min(...configs.map((config) => config[field]));
}
