/** How EdgeSync runs for the edges of one site: Exchange's EdgeSyncServiceConfig, as far as it has an effect here. */

import type { EdgeSyncLevel } from '../../logs/index.ts';

/** Times in seconds, sizes in octets. */
export interface ServiceConfig {
  /** Site of Active Directory whose edges it is about. */
  readonly site: string;
  readonly configurationSyncInterval: number;
  readonly recipientSyncInterval: number;
  /** Age after which everything is read again instead of what changed. */
  readonly cookieValidDuration: number;
  /** How long a lease on an edge holds without being taken again. */
  readonly lockDuration: number;
  readonly logEnabled: boolean;
  readonly logLevel: EdgeSyncLevel;
  /** Below the state directory unless it begins with '/'. */
  readonly logPath: string;
  /** 0: kept for ever. */
  readonly logMaxAge: number;
  readonly logMaxDirectorySize: number;
  readonly logMaxFileSize: number;
}

/** The part of the settings that this is about; times in seconds. */
export interface ServiceSettings {
  readonly configurationInterval: number;
  readonly recipientInterval: number;
  readonly logLevel?: EdgeSyncLevel;
  readonly services?: readonly ServiceConfig[];
}

export const serviceDefaults: Omit<ServiceConfig, 'site'> = {
  configurationSyncInterval: 180,
  recipientSyncInterval: 300,
  cookieValidDuration: 21 * 86_400,
  lockDuration: 360,
  logEnabled: true,
  logLevel: 'None',
  logPath: 'logs/EdgeSync',
  logMaxAge: 30 * 86_400,
  logMaxDirectorySize: 250 * 1024 ** 2,
  logMaxFileSize: 10 * 1024 ** 2,
};

/** What is in force for a site. */
export function serviceConfigOf(settings: ServiceSettings, site: string): ServiceConfig {
  const own = settings.services?.find((one) => one.site.toLowerCase() === site.toLowerCase());
  const { configurationInterval, recipientInterval, logLevel = serviceDefaults.logLevel } = settings;
  const config = {
    ...serviceDefaults,
    configurationSyncInterval: configurationInterval,
    recipientSyncInterval: recipientInterval,
    logLevel,
    site,
    ...own,
  };
  const { logMaxDirectorySize, logMaxFileSize } = config;
  return { ...config, logMaxDirectorySize: sizeOf(logMaxDirectorySize), logMaxFileSize: sizeOf(logMaxFileSize) };
}

/** JSON knows no Unlimited: it is kept as null. */
const sizeOf = (kept: number | null): number => kept ?? Infinity;

/** Settings that are a number. */
type Numbers = {
  readonly [K in keyof ServiceConfig as ServiceConfig[K] extends number ? K : never]: ServiceConfig[K];
};

/** The settings with this one in the place of the one of its site. */
export function withServiceConfig<T extends ServiceSettings>(settings: T, config: ServiceConfig): T {
  const others = (settings.services ?? []).filter(({ site }) => site.toLowerCase() !== config.site.toLowerCase());
  return { ...settings, services: [...others, config] };
}

/** The shortest of the sites, for what is done for all of them at once. */
export function shortest(configs: readonly ServiceConfig[], field: keyof Numbers, otherwise: number): number {
  return configs.length === 0 ? otherwise : Math.min(...configs.map((config) => config[field]));
}
