/**
 * Variables as the text of a file that `wrangler --env-file` reads back as they are: it would expand `$NAME`.
 *
 * @example writeFileSync('.dev/vars', varsFile({ LOG_LEVEL: 'debug' }), { mode: 0o600 })
 */
export function varsFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const quote = ["'", '`', '"'].find((one) => !value.includes(one)) ?? ''
      return `${name}=${quote}${value.replaceAll('$', '\\$')}${quote}\n`
    })
    .join('')
}
