/** The operator's own configuration of a lab Asterisk: what star64 finds and never edits. */
export interface LabSettings {
  /** Directories, absolute. */
  etc: string;
  modules: string;
  data: string;
  state: string;
  run: string;
  log: string;
  sipPort: number;
  amiPort: number;
  rtpFirst: number;
  rtpLast: number;
  amiSecret: string;
  amiRead: string;
  amiWrite: string;
  persistentMembers: boolean;
  verboseLog: boolean;
  /** star64's output directory; `<generated>/current/<file>` is included where it exists. */
  generated: string | undefined;
  /** Text appended to a file of that name, or a file of its own. */
  extra: Record<string, string>;
}

/** Modules for services that the lab does not have, or that only warn about a missing configuration. */
const unloaded = `
app_adsiprog app_agent_pool app_alarmreceiver app_amd app_dictate app_festival app_flash app_followme app_getcpeid
app_ices app_image app_jack app_meetme app_minivm app_mp3 app_nbscat app_osplookup app_page app_privacy app_readexten
app_sms app_speech_utils app_statsd app_talkdetect app_test app_url app_voicemail app_voicemail_imap
app_voicemail_odbc app_waitforring app_waitforsilence app_zapateller
cdr_adaptive_odbc cdr_beanstalkd cdr_custom cdr_manager cdr_odbc cdr_pgsql cdr_radius cdr_sqlite3_custom cdr_tds
cel_beanstalkd cel_custom cel_manager cel_odbc cel_pgsql cel_radius cel_sqlite3_custom cel_tds
chan_alsa chan_audiosocket chan_console chan_dahdi chan_iax2 chan_mgcp chan_misdn chan_mobile chan_motif chan_ooh323
chan_oss chan_phone chan_rtp chan_skinny chan_unistim chan_websocket
codec_dahdi format_mp3 func_odbc
pbx_ael pbx_dundi pbx_lua pbx_realtime
res_adsi res_aeap res_ari res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels
res_ari_device_states res_ari_endpoints res_ari_events res_ari_mailboxes res_ari_model res_ari_playbacks
res_ari_recordings res_ari_sounds res_calendar res_calendar_caldav res_calendar_ews res_calendar_exchange
res_calendar_icalendar res_cliexec res_clialiases res_config_curl res_config_ldap res_config_odbc res_config_pgsql
res_config_sqlite3 res_corosync res_fax res_fax_spandsp res_geolocation res_hep res_hep_pjsip res_hep_rtcp
app_stasis app_stasis_broadcast res_stasis_broadcast res_pjsip_notify res_parking cdr_csv
res_http_media_cache res_http_post res_http_websocket res_limit res_odbc res_odbc_transaction res_phoneprov
res_pjsip_config_wizard res_pjsip_geolocation res_pjsip_phoneprov_provider res_pjsip_stir_shaken
res_pjsip_transport_websocket res_pktccops res_prometheus res_resolver_unbound res_smdi res_snmp
res_speech_aeap res_stasis_mailbox res_statsd res_stir_shaken res_stun_monitor res_tonedetect res_websocket_client
res_xmpp
app_macro chan_sip res_monitor`;

/** File name to text, ready to be written into `etc`. */
export function operatorConfiguration(settings: LabSettings): Record<string, string> {
  const include = (file: string): string =>
    settings.generated === undefined ? '' : `\n#tryinclude ${settings.generated}/current/${file}\n`;
  const files: Record<string, string> = {
    'asterisk.conf': `[directories]
astetcdir => ${settings.etc}
astmoddir => ${settings.modules}
astvarlibdir => ${settings.state}
astdbdir => ${settings.state}
astkeydir => ${settings.state}
astdatadir => ${settings.data}
astagidir => ${settings.state}
astspooldir => ${settings.state}/spool
astrundir => ${settings.run}
astlogdir => ${settings.log}

[options]
verbose = ${settings.verboseLog ? 3 : 0}
nocolor = yes
hideconnect = yes
live_dangerously = no
`,
    'modules.conf': `[modules]
autoload = yes
${unloaded
  .trim()
  .split(/\s+/)
  .map((module) => `noload = ${module}.so`)
  .join('\n')}
`,
    'logger.conf': `[general]
dateformat = %F %T.%3q
queue_log = yes
; What a busy machine has not written yet is kept: tests read it. (The default, 1000 lines, is less than a second of some.)
logger_queue_limit = 1000000

[logfiles]
messages = NOTICE,WARNING,ERROR
${settings.verboseLog ? 'verbose = VERBOSE(3),DTMF' : ''}
`,
    'manager.conf': `[general]
enabled = yes
bindaddr = 127.0.0.1
port = ${settings.amiPort}

[star64]
secret = ${settings.amiSecret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/255.0.0.0
read = ${settings.amiRead}
write = ${settings.amiWrite}
`,
    'rtp.conf': `[general]
rtpstart = ${settings.rtpFirst}
rtpend = ${settings.rtpLast}
`,
    'extensions.conf': `[general]
autofallthrough = yes

[lab-static]
exten => _X.,1,Answer()
 same => n,Hangup()
exten => _0X.,1,Answer()
 same => n,Echo()
exten => _00X.,1,Answer()
 same => n,Playback(agent-loginok)
 same => n,Wait(1)
 same => n,Hangup()
${include('extensions.conf')}`,
    'queues.conf': `[general]
persistentmembers = ${settings.persistentMembers ? 'yes' : 'no'}
autofill = yes
${include('queues.conf')}`,
    'queuerules.conf': `[general]
realtime_rules = no
${include('queuerules.conf')}`,
    'pjsip.conf': `[global]
type = global
user_agent = star64-lab

[lab-udp]
type = transport
protocol = udp
bind = 127.0.0.1:${settings.sipPort}

[lab-trunk]
type = endpoint
transport = lab-udp
context = star64-inbound
disallow = all
allow = ulaw,alaw
direct_media = no
aors = lab-trunk

[lab-trunk]
type = aor

[lab-trunk]
type = identify
endpoint = lab-trunk
match = 127.0.0.99

[lab-trunk2]
type = endpoint
transport = lab-udp
context = lab-static
disallow = all
allow = ulaw
direct_media = no
aors = lab-trunk2

[lab-trunk2]
type = aor

[lab-trunk2]
type = identify
endpoint = lab-trunk2
match = 127.0.0.98
${include('pjsip.conf')}`,
    'features.conf': `[general]\n${include('features.conf')}`,
    'musiconhold.conf': `[default]
mode = files
directory = ${settings.data}/moh
${include('musiconhold.conf')}`,
    'confbridge.conf': `[general]\n${include('confbridge.conf')}`,
    'cdr.conf': '[general]\nenable = yes\n',
    'cel.conf': '[general]\nenable = no\n',
    'acl.conf': '',
    'ccss.conf': '[general]\n',
    'codecs.conf': '',
    'indications.conf': `[general]
country = us

[us]
description = United States / North America
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
`,
    'udptl.conf': '[general]\n',
    'stasis.conf': '',
    'pjproject.conf': '',
  };
  for (const [name, text] of Object.entries(settings.extra)) files[name] = `${files[name] ?? ''}\n${text}\n`;
  return files;
}
