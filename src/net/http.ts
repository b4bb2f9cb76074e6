/**
 * node:http for who makes requests or listens. An `import` of it reads each of its exports, and some
 * of them load all of fetch: 50 ms of each process's start, and 15 MiB of a short one, for nothing.
 */
export const { createServer, request, ServerResponse } = process.getBuiltinModule('node:http')
