import { isFault } from '#base/outcome.ts'
import { authorOf } from './context.ts'
import { ApiError } from './errors.ts'

/** The store's answer; one that does not answer as the API's error. */
export async function askStore<T>(node: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    if (thrown.code === 'invalid')
      throw new ApiError('invalid', thrown.message, 'Correct what was given.')
    throw new ApiError(
      thrown.code === 'full' || thrown.code === 'stalled' ? thrown.code : 'unavailable',
      `${node} cannot do it now: ${thrown.message}`,
      'Nothing was changed, as far as it is known. Try again when the store answers: watari status.',
    )
  }
}

/** Who changes something, as the store's event tells it. */
export function authorText(request: Parameters<typeof authorOf>[0]): string {
  const { who, from } = authorOf(request)
  return `${who} by ${from}`
}
