// npm run soak: crashes, power loss, large mailboxes and ten clients at one of them, at length;
// npm test runs each at a small size.
import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const TIMES = '50'

const child = spawn(
  process.execPath,
  [
    '--test',
    '--test-concurrency=1',
    'test/e2e/crash.test.ts',
    'test/e2e/disk.test.ts',
    'test/e2e/hammer.test.ts',
    'test/e2e/slow-readers.test.ts',
    'test/e2e/store-power.test.ts',
    'src/store/mailbox/upkeep/bad-disk.test.ts',
    'test/e2e/webmail-many.test.ts',
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      WATARI_KILLS: process.env['WATARI_KILLS'] ?? TIMES,
      WATARI_EACH_WRITE: process.env['WATARI_EACH_WRITE'] ?? 'all',
      WATARI_POWER_CUTS: process.env['WATARI_POWER_CUTS'] ?? TIMES,
      WATARI_HAMMER_ROUNDS: process.env['WATARI_HAMMER_ROUNDS'] ?? TIMES,
      WATARI_HAMMER_COMMANDS: process.env['WATARI_HAMMER_COMMANDS'] ?? '200',
      WATARI_SLOW_READERS: process.env['WATARI_SLOW_READERS'] ?? '1000',
      WATARI_WEB_MAILS: process.env['WATARI_WEB_MAILS'] ?? '100000',
    },
  },
)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
