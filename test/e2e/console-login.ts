import type { Visitor } from './browser.ts'

/** Logs in by the keyboard alone: the first field has the focus. */
export async function loginConsole(
  visitor: Visitor,
  password: string,
  username = 'admin',
): Promise<void> {
  await visitor.open('/console')
  await visitor.page.keyboard.type(username)
  await visitor.page.keyboard.press('Tab')
  await visitor.page.keyboard.type(password)
  await visitor.page.keyboard.press('Enter')
}

/** Logs in, and waits until the console is there. */
export async function enterConsole(
  visitor: Visitor,
  password: string,
  username?: string,
): Promise<void> {
  await loginConsole(visitor, password, username)
  await visitor.page.locator('.corridor').waitFor()
}
