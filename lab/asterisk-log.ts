/** What a busy machine alone makes Asterisk say: of two things that happen at once only who comes first differs. */
const ofTheMoment: readonly RegExp[] = [
  // The end of a call and its answer crossed.
  / chan_pjsip\.c: Session already DISCONNECTED/,
  / taskprocessor\.c: .* scheduled tasks/,
  // A module of SIP joined when the loop of pjproject ran already, as it does at each start.
  / pjproject: .*sip_endpoint\.c .*registered during operation/,
  // A tone begins (`ast_activate_generator`), or music goes on, for who has hung up in that moment.
  / channel\.c: Prodding channel '[^']*' failed/,
  / res_musiconhold\.c: Failed to write frame to /,
  // Asterisk stood still for 2 s, and what a Local channel carried meanwhile comes at once.
  / channel\.c: Exceptionally long voice queue length .*queuing to Local\//,
  // Somebody hung up before a routine that runs within an application (of Dial, of a connected line) had returned: gosub_run()
  // of app_stack.c stops there. That all of ours return is test/files/returns.test.ts.
  / app_stack\.c: \S+ Abnormal 'Gosub\(star64-[^']*\)' exit/,
  // A channel that goes into a bridge takes the bridge's codec in the moment in which a sound is opened for another one. Of a
  // sound that there is not, Asterisk says before this that it "does not exist in any format". What was to play it says so, too.
  / file\.c: Unable to open \S+ \(format [^:]*: No such file or directory$/,
  / app_playback\.c: Playback failed on \S+ for /,
  // Debian's patch of ast_translate() (docs/installation.md) takes a sound frame without a sequence number, behind one of RTP that
  // has one of the upper half, for up to 32,768 lost ones. They have as many samples as it has: of an empty one none.
  / translate\.c: no samples for \w+$/,
];

/** Whether a line of Asterisk's log is a WARNING or an ERROR of which somebody's configuration, or our files, may be the cause. */
export const isWrong = (line: string): boolean =>
  /^\[[^\]]*\] (WARNING|ERROR)\[/.test(line) && !ofTheMoment.some((one) => one.test(line));
