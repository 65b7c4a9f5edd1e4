/** True when done, false when Asterisk refused with an `expected` word: what was asked for is so already. */
export async function done(action: Promise<unknown>, expected: RegExp): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof Error && expected.test(error.message)) return false;
    throw error;
  }
}
