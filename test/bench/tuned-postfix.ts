/** Postfix as one who wants speed of it would set it, for the comparisons. */
export const tunedPostfix = {
  in_flow_delay: '0s',
  default_process_limit: '200',
  initial_destination_concurrency: '20',
  default_destination_concurrency_limit: '40',
  smtpd_client_connection_count_limit: '0',
  smtp_connection_cache_on_demand: 'yes',
  smtp_connection_cache_destinations: 'static:all',
} as const;
