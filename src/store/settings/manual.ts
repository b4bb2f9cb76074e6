import { actionsOf } from './option.ts'
import type { Option } from './option.ts'
import { optionOf, SETTING_KEYS } from './table.ts'
import type { SettingKey } from './table.ts'
import { formatDuration, formatSize } from './validate.ts'

/** The reference manual of the settings, in Markdown: docs/settings.md. */
export function settingsManual(): string {
  return `# Settings

Made from \`src/store/settings/table.ts\` by \`tools/docs.ts\`; do not edit it here.
\`watari settings set KEY VALUE\` validates and applies at once; \`watari settings edit KEY=VALUE…\`, \`diff\` and
\`apply\` do it in steps; \`history\` and \`rollback\` lead back.

${SETTING_KEYS.map(entry).join('\n')}`
}

function entry(key: SettingKey): string {
  const option = optionOf(key)
  return `## \`${key}\`

- Type: ${typeOf(option)}
- Default: ${defaultOf(option)}

${option.doc.en}

${option.doc.ja}
`
}

function typeOf(option: Option): string {
  switch (option.type) {
    case 'integer':
      return `whole number, ${option.min} to ${option.max}`
    case 'number':
      return `number, ${option.min} to ${option.max}`
    case 'duration':
      return `duration, ${formatDuration(option.min)} to ${formatDuration(option.max)}`
    case 'size':
      return `size, ${formatSize(option.min)} to ${formatSize(option.max)}`
    case 'boolean':
      return 'true or false'
    case 'durations':
      return `up to ${option.countMax} durations, ${formatDuration(option.min)} to ${formatDuration(option.max)} each`
    case 'servers':
      return `up to ${option.countMax} servers, HOST:PORT (port ${option.port} where it is left out)`
    case 'networks':
      return 'networks of IPv4 and IPv6, without a limit in rows'
    case 'zone':
      return 'time zone, such as Asia/Tokyo'
    case 'words':
      return `up to ${option.countMax} words`
    case 'script':
      return `Sieve script, up to ${formatSize(option.bytesMax)}`
    case 'origin':
      return 'https://HOST or https://HOST:PORT'
    case 'choice':
      return `one of ${option.oneOf.join(', ')}`
    case 'action':
      return `one of ${actionsOf(option).join(', ')}`
  }
}

function defaultOf(option: Option): string {
  switch (option.type) {
    case 'duration':
      return formatDuration(option.default)
    case 'size':
      return formatSize(option.default)
    case 'durations':
      return option.default.map(formatDuration).join(', ')
    case 'script':
      return 'none'
    case 'origin':
      return option.default === '' ? 'none' : option.default
    case 'zone':
      return option.default === '' ? "the machine's" : option.default
    case 'servers':
    case 'networks':
    case 'words':
      return option.default.length === 0 ? 'none' : option.default.join(', ')
    default:
      return String(option.default)
  }
}
