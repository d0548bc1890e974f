/**
 * What each process of an appliance is made of: `appliance/` for the supervisor, `directory/` for the process that owns the
 * directory, `transport/` for each worker. Every part has a door of its own, so that a process loads only what it runs.
 */
