"""Every bound of the gateway in one place, each with its reason.

Units stand last in the names.
"""

from __future__ import annotations

from typing import Final

# --- the wire -----------------------------------------------------------------------------------
ENVELOPES_PER_CALL_MAX: Final = 256  # one verification and one commit cover a call; more only waits
QUERIES_PER_CALL_MAX: Final = 256  # as many receipts as one Deliver can have lost
HEADER_BYTES_MAX: Final = 8_192  # a full header is about 700 bytes; leaves room, not a hiding place
BODY_BYTES_MAX: Final = 1_048_576  # forms are a few kB; files travel as attachments
ENVELOPE_BYTES_MAX: Final = BODY_BYTES_MAX + 65_536  # body + header + four batch proofs
QUERIES_BYTES_MAX: Final = 32_768  # 256 queries of about 60 bytes, twice
DELIVER_BYTES_MAX: Final = 16_777_216  # what one call may hold in memory before it is parsed
GRPC_RECEIVE_BYTES_MAX: Final = 65 * 1_048_576  # gRPC itself refuses more, and names no rule
RECEIVING_MAX: Final = 16  # requests being read in all: at most about 1 GiB at a time
PARTNER_RECEIVING_MAX: Final = 4  # of one partner: a slow sender never holds every place
SIGNATURES_PER_ENVELOPE_MAX: Final = 4  # two suites while one is being replaced, at both keys
BATCH_LEAVES_MAX: Final = 512  # a commit group holds at most 256 receipts and 256 envelopes
BATCH_HEAD_BYTES_MAX: Final = 256  # a head is about 90 bytes; heads are kept in memory once read
BATCH_PATH_MAX: Final = 9  # log2 of BATCH_LEAVES_MAX
SALT_BYTES: Final = 32  # as long as the digest, so that no digest can be guessed back
REQUIRED_SUITES_MAX: Final = 4  # one per signature
CRITICAL_MAX: Final = 8  # v1 knows none; a reader needs names enough to report
ANSWER_TEXT_CHARS_MAX: Final = 2_000  # texts of a receipt: a few lines to a person
RETRY_AFTER_MS_MAX: Final = 3_600_000  # a partner may ask us to wait an hour, not for ever
HEADER_TEXT_CHARS_MAX: Final = 128  # item codes are 31, units 18, traceparent 55

# --- time on the wire ---------------------------------------------------------------------------
SKEW_MS_MAX: Final = 300_000  # ±5 min: clocks of offices are kept by NTP, but not all are
MESSAGE_LIFE_MS_MAX: Final = 30 * 86_400_000  # the longest partner outage we bridge
MESSAGE_LIFE_MS: Final = 7 * 86_400_000  # what we give our own messages: a long holiday
ID_TIME_MS_MAX: Final = 60_000  # a UUIDv7's time against sent_at: ids are drawn when sealing

# --- clocks, working days -----------------------------------------------------------------------
WINDOW_INTAKE_DAYS: Final = 5  # a window tells what is missing as late as an authority may
TRANSIT_DAYS: Final = 1  # files cross in seconds; a day that passes is a partner in trouble
ACKNOWLEDGEMENT_DAYS: Final = 1  # 签收 decides nothing: it is done on the next working day
ACCEPTANCE_DAYS: Final = 5  # 行政许可法 art. 32: told at once, or within five days
DELIVERY_DAYS: Final = 10  # 行政许可法 art. 44: issued and delivered within ten days
RECTIFICATION_DAYS: Final = 15  # 差评整改: a bad review is put right within 15 working days
CLOCK_POLL_MS: Final = 5_000  # what clocks tell falls due at midnight: seconds do not matter
CLOCK_CACHE_MAX: Final = 8_192  # courses that differ by a day; most of a day's cases go alike
CLOCK_BATCH_MAX: Final = 256  # cases in one transaction: others wait a few ms, not for a midnight

# --- forms and attachments ----------------------------------------------------------------------
FORM_BYTES_MAX: Final = 262_144  # the largest real form seen is 40 kB
JSON_DEPTH_MAX: Final = 32  # real forms nest 5 deep; parsers recurse
JSON_INTEGER_MAX: Final = 2**53 - 1  # what every JSON parser keeps exactly (RFC 8259 section 6)
ATTACHMENTS_PER_MESSAGE_MAX: Final = 100  # the longest real material list has 40 entries
ATTACHMENT_BYTES_MAX: Final = 100 * 1_048_576  # a scanned charter of 200 pages
ATTACHMENT_CHUNK_BYTES_MAX: Final = 1_048_576  # fixed memory at any size
ATTACHMENT_CHUNK_BYTES: Final = 262_144  # what we send
CASE_ATTACHMENT_BYTES_MAX: Final = 500 * 1_048_576  # quota of one case with one partner
CASE_ATTACHMENTS_MAX: Final = 300  # three full material lists
PARTNER_CALLS_MAX: Final = 64  # of one partner at a time: a quarter of a connection's streams
PARTNER_UPLOADS_MAX: Final = 8  # of one partner at a time: each may hold a chunk in memory
PARTNER_STAGED_CASES_MAX: Final = 2_000  # cases a partner may hold files for before it submits
PARTNER_STAGED_BYTES_MAX: Final = 20 * 1_073_741_824  # 40 cases at their quota; the disk is ours
HOUSEKEEPING_MS: Final = 6 * 3_600_000  # what lies idle for 30 days may lie 6 hours longer
CASES_LOOKED_UP_MAX: Final = 500  # cases with files looked up at once: about 5 ms of a reader
VAULT_THREADS_MAX: Final = 4  # a slow disk holds these up, never the threads that check signatures

# --- mapping tables of partners -------------------------------------------------------------------
MAPPING_FILE_BYTES_MAX: Final = 1_048_576  # 2,000 rows and a code table of every county in China
TRANSLATE_FILE_BYTES_MAX: Final = 65_536  # two functions; a program is a mistake
MAPPING_SAMPLE_BYTES_MAX: Final = 4_194_304  # a sample document of theirs, with its files
MAPPING_ROWS_MAX: Final = 2_000  # 30 items of 60 fields; the largest real form has 140
MAPPING_TABLES_MAX: Final = 200  # a partner with a table for each field of a kind is an outlier
MAPPING_CODES_MAX: Final = 5_000  # the regions of China down to counties are about 3,400
MAPPING_LENGTH_MAX: Final = 1_000_000  # of a text of theirs; above it nobody states a limit
MAPPING_DIGITS_MAX: Final = 40  # of a number; an amount in fen has 15
MAPPING_DEPTH_MAX: Final = JSON_DEPTH_MAX  # as deep as a form may be
MAPPING_NODES_MAX: Final = 20_000  # values of one document: a form of 140 fields, 100 materials

# --- agreements over the wire ---------------------------------------------------------------------
AGREEMENT_BYTES_MAX: Final = 65_536  # the sample is 2 kB; 500 items with their versions are 30 kB
AGREEMENT_GRANTED_MAX: Final = 12_000  # five cities, each with each, 535 items: 10,700
AGREEMENT_LINE_DOTS_MAX: Final = 256  # a dotted TOML key costs the square of its parts
AGREEMENTS_PER_PARTNER_MAX: Final = 50  # kept for good; a year has a handful, each is in memory

# --- group commit -------------------------------------------------------------------------------
GROUP_MAX: Final = 256  # one batch head covers it
GROUP_GATHER_S: Final = 0.002  # a busy writer waits this long for company; an idle one never
GROUP_QUEUE_MAX: Final = 4_096  # 16 groups behind: refuse rather than grow
CONFORM_INLINE_BYTES_MAX: Final = 524_288  # about 20 ms of checking; more goes to a thread
VERIFY_INLINE_MAX: Final = 1  # one verification costs less than handing it to a thread

STANDING_CACHE_MAX: Final = 4_096  # one per partner, key, agreement and item version in use

# --- dispatch -----------------------------------------------------------------------------------
LANE_BATCH_MAX: Final = ENVELOPES_PER_CALL_MAX
LANE_CALLS_MAX: Final = 2  # calls under way to one partner: one being answered, one on its way
LANE_DRAIN_S_MAX: Final = 5.0  # at a stop; a call cut off then is an ordinary retry later
LANE_LEAVE_S_MAX: Final = 60.0  # of a changed partner: a call and its settling; files resume
DELIVER_TIMEOUT_S: Final = 20.0  # a partner's slowest commit, with room
UPLOAD_TIMEOUT_S: Final = 600.0  # 100 MiB at 1.4 Mbit/s
LEASE_MS: Final = 30_000  # over DELIVER_TIMEOUT_S, renewed in uploads: what the dead held returns
RETRY_FIRST_MS: Final = 500
RETRY_MS_MAX: Final = 300_000  # a partner that comes back is noticed within 5 minutes
RETRY_JITTER: Final = 0.2  # ±20 %: lanes that failed together do not return together
ATTEMPTS_MAX: Final = 12  # about half an hour of backoff, then the message is `unknown`
LANE_FAULTS_MAX: Final = 100  # looked at for a reason; the oldest were tried first
LANE_POLL_S: Final = 1.0  # behind the wake-up: a lost wake-up costs a second

# --- partners that collect ------------------------------------------------------------------------
COLLECT_BYTES_MAX: Final = 4_194_304  # 256 receipts with four batch proofs and long texts each
COLLECTS_PER_PARTNER_MAX: Final = 2  # one that waits, and one that only hands in receipts
COLLECTS_WAITING_MAX: Final = 64  # of all partners: a quarter of EXCHANGE_CALLS_MAX; more poll
COLLECT_WAIT_MS_MAX: Final = 55_000  # below the one minute after which proxies cut
COLLECT_LEASE_MS: Final = 120_000  # to fetch a few files, decide and answer; then it comes again

# --- joint cases ----------------------------------------------------------------------------------
JOINT_TASKS_MAX: Final = 50  # of one case, withdrawn ones included: provinces are 34, asked once

# --- reviews --------------------------------------------------------------------------------------
REVIEWS_PER_CASE_MAX: Final = 100  # one a service; each is judged beside all before it

# --- HTTP ---------------------------------------------------------------------------------------
HTTP_JSON_BYTES_MAX: Final = FORM_BYTES_MAX + 65_536  # a form and what is around it
HTTP_HEADER_TIMEOUT_S: Final = 10.0  # slow-loris: headers come at once or not at all
HTTP_BODY_TIMEOUT_S: Final = 30.0  # JSON bodies are small
HTTP_UPLOAD_IDLE_S: Final = 30.0  # a stalled upload frees its place
HTTP_CONNECTIONS_MAX: Final = 1_000  # below the usual limit of 1,024 open files
LONG_POLL_S_MAX: Final = 55.0  # below the one minute after which proxies cut
PAGE_MAX: Final = 200
PAGE_DEFAULT: Final = 50
IDEMPOTENCY_KEY_CHARS_MAX: Final = 128
TOKEN_LIFE_S_MAX: Final = 86_400  # a token that lives longer than a day is refused
TOKEN_LEEWAY_S: Final = 30
TOKEN_CHARS_MAX: Final = 4_096  # real tokens are under 1,000 characters
TOKEN_CACHE_MAX: Final = 4_096  # a verification costs 75 µs; one entry per token in use
JWKS_BYTES_MAX: Final = 262_144  # some hundred keys; the file is read on the event loop
HTTP_KEEPALIVE_S: Final = 75.0  # longer than the 60 s for which proxies keep idle connections
HTTP_LINGER_S: Final = 2.0  # lets a refused sender read its answer before the line is closed
HTTP_ANSWER_S: Final = 30.0  # a client that does not read its answer frees its place
HTTP_ERRORS_MAX: Final = 100  # errors told at once; more help nobody
READY_TIMEOUT_S: Final = 2.0  # what probes of load balancers usually wait
REASON_CHARS_MAX: Final = 2_000  # a reason is a paragraph, not a document

INVITATION_BYTES_MAX: Final = 262_144  # names, an address and a dozen certificates
INVITATION_LIFE_MS: Final = 14 * 86_400_000  # two offices find a time to telephone
RECEIPT_LATE_MS: Final = 1_800_000  # a partner that is well answers within seconds
ANNOUNCED_KEYS_MAX: Final = 8  # of a partner: a next key of each suite, and of its transport
OPERATOR_ACT_AGE_MS_MAX: Final = 300_000  # clocks of an office differ by seconds, not minutes
OPERATOR_ACT_WAITS_MS_MAX: Final = 86_400_000  # a second operator looks within a day
OPERATORS_MAX: Final = 200  # who ever could act; an office has a handful
OPERATOR_BYTES_MAX: Final = 1_048_576  # an agreement or an outcome; files are named by path

# --- partners' own platforms ----------------------------------------------------------------------
ARRIVAL_BYTES_MAX: Final = 33_554_432  # one document with its files inside, base64: 24 MiB of them
CALLBACK_SMALL_BYTES: Final = 65_536  # a word about a case; above it are files
READ_BESIDE_BYTES: Final = 65_536  # about a millisecond to read; more goes beside the event loop
JSON_MARKS_MAX: Final = 200_000  # brackets and commas of one document: ten times MAPPING_NODES_MAX
FORM_ESCAPES_MAX: Final = 1_000_000  # %XX of one form: a second in a thread; base64 has few
ARRIVALS_HELD_MAX: Final = 1_000  # open ones of a partner: a wrong table is noticed before that
ARRIVALS_HELD_BYTES_MAX: Final = 1_073_741_824  # of a partner, raw: what one may fill of our disk
DIALECT_BATCH_MAX: Final = 4  # pushes at a time: platforms are small, and their files are large
XML_ATTRIBUTES_MAX: Final = 64  # of one element; what partners write has a handful
XML_TAGS_MAX: Final = 200_000  # a document of 32 MiB is files, not elements; each costs 100 bytes
CSV_ROWS_MAX: Final = 5_000  # of one file: an hour of a busy hall
CSV_CELL_CHARS_MAX: Final = 131_072  # what the standard library's reader takes, and a page of text
DIALECT_CONNECTIONS_MAX: Final = 8  # to one platform: a batch of each of two calls
STAGED_ROWS_MAX: Final = 100  # read of one table in one turn; the next follows at once
PARKED_MAX: Final = 1_000  # of a partner's, asked after in one turn
DROP_FILES_MAX: Final = 1_000  # looked at in one turn of a drop folder; the next follows at once
CALLER_NETWORKS_MAX: Final = 64  # where one partner's platform calls from
ARRIVAL_NAME_CHARS_MAX: Final = 200  # a partner's name of an operation, a file or a row
ARRIVAL_RESUME_MAX: Final = 100  # received ones taken up again at once
ARRIVAL_EARLY_MS_MAX: Final = 86_400_000  # what goes before it is a day late at most
ARRIVAL_LOOK_SHARE: Final = 20  # of our time, what goes into looking at words that came early
ARRIVAL_EARLY_LOOK_MS: Final = 300  # between two looks whether what came early is in its turn
ARRIVAL_RESUME_MS: Final = 60_000  # what could not be judged is tried again within a minute

# --- process ------------------------------------------------------------------------------------
DRAIN_S_MAX: Final = 10.0  # portal, then exchange, then lanes: service managers kill after 30
GUEST_CALLS_MAX: Final = 16  # health and reflection, for anyone with a certificate
GUEST_CALL_S: Final = 5.0  # an answer from memory; who asks again asks anew
EXCHANGE_CALLS_MAX: Final = 256  # calls under way in all: each may hold DELIVER_BYTES_MAX
GRPC_STREAMS_MAX: Final = (
    80  # of one connection: a partner's calls and uploads, and its health checks
)
GRPC_KEEPALIVE_MS: Final = 60_000
READY_PROBE_MS: Final = 5_000  # how old the last proof that the journal can be written may be

# --- keys and certificates ----------------------------------------------------------------------
VERIFY_KEYS_CACHED_MAX: Final = 1_024  # every key of 200 partners; about 1 kB each
KEY_FILE_BYTES_MAX: Final = 16_384  # an RSA-4096 key in PEM is 3.3 kB
CERTIFICATE_BYTES_MAX: Final = 65_536  # PEM of a certificate with its chain is under 10 kB
CERTIFICATE_CHAIN_MAX: Final = 4  # leaf, two intermediates, root: what national authorities use
RSA_BITS_MIN: Final = 2_048  # below it a key can be factored in the life of a case's evidence

# --- journal ------------------------------------------------------------------------------------
SQLITE_BUSY_MS: Final = 2_000  # an operator's own look into the file may hold a lock for a moment
SQLITE_READERS_MAX: Final = 3  # reads beside the writer; on few cores more only wait
SQLITE_CACHE_KIB: Final = 32_768  # the indexes' hot ends; a commit of 256 messages is about 2 MiB
SQLITE_CHECKPOINT_PAGES: Final = 2_000  # 8 MiB: a page changed by many commits is copied once
SQLITE_STATEMENTS_MAX: Final = 256  # more than the journal has texts: each is prepared once

# --- item list ----------------------------------------------------------------------------------
ITEM_FILE_BYTES_MAX: Final = 268_435_456  # 500,000 rows with half a page of conditions each
ITEM_ROWS_MAX: Final = 500_000  # five times the largest provincial list; one import is one commit
ITEM_CELL_CHARS_MAX: Final = 8_192  # conditions of acceptance fill two pages; a book is a mistake
ITEM_NAME_CHARS_MAX: Final = 500  # the longest real name seen has 120
ITEM_PROBLEMS_MAX: Final = 20_000  # more is one mistake repeated; memory stays bounded
ITEM_STAGE_ROWS: Final = 250  # one hold of the writer: about 10 ms of an import of any size
ITEM_PART_BYTES: Final = 200_000  # of rows in one message: below FORM_BYTES_MAX, with room
ITEM_PART_ROWS_MAX: Final = 500  # of one message: rows of 400 bytes fill it
ITEM_PARTS_MAX: Final = 10_000  # a list of ITEM_ROWS_MAX with 4 kB in each row
ITEM_PARTS_UNDER_WAY_MAX: Final = 16  # to one partner: cases wait behind a few MB, not a list
ITEM_TOLD_DAYS_MAX: Final = 35  # parts of an edition come for MESSAGE_LIFE_MS_MAX and a retry
ITEM_LISTS_POLL_S: Final = 1.0  # lists change a few times a day; a part's receipt is soon seen
ITEMS_PAGE_MAX: Final = 2_000  # of what may be asked for, with forms and materials: a few MB
ITEMS_LOOKED_AT_MAX: Final = 4_000  # for one page: about 20 ms of the event loop
ITEM_SEARCH_CHARS_MAX: Final = 128  # a name pasted whole
ITEM_SEARCH_WORDS_MAX: Final = 8  # each costs one walk of the index

# --- partners without a system ------------------------------------------------------------------
ASSISTED_RESUME_MAX: Final = 100  # confirmed answers taken in again at once; people type few
ASSISTED_RESUME_MS: Final = 60_000  # what could not be taken in is tried again within a minute
ASSISTED_FILES_MAX: Final = 4  # scans of one answer: a letter is one PDF, or photographed pages
ASSISTED_TEXT_CHARS_MAX: Final = 128  # the partner's own number, a counter: what fits a line

# --- conformance kit ----------------------------------------------------------------------------
CONFORMANCE_CASE_BYTES_MAX: Final = 65_536  # a case is a page of TOML; an operator's may be two
CONFORMANCE_CASES_MAX: Final = 1_000  # ten times the kit's own; a run stays under an hour
CONFORMANCE_REPORT_BYTES_MAX: Final = 4_194_304  # 1,000 results of 1 kB, in base64, with room
CONFORMANCE_CALL_S: Final = 20.0  # as DELIVER_TIMEOUT_S: a partner's slowest commit, with room
CONFORMANCE_SILENT_MAX: Final = 3  # cases without any answer; more would only wait
CONFORMANCE_FIRST_CALL_S: Final = 1_800  # to telephone, and start a client at the other end
CONFORMANCE_HANDED_OUT_MAX: Final = 3  # a file may be missing at first; more would only wait
CONFORMANCE_DAYS_MAX: Final = 366  # the longest that a pass may count
CONFORMANCE_KEPT_DAYS: Final = 90  # a partner renews software and keys about every quarter

# --- partners in trouble ------------------------------------------------------------------------
BREAKER_DOWNS: Final = 3  # one lost call is the network, three in a row are the partner
PARTNER_MESSAGES_PER_S: Final = 2_000  # more than a gateway on two cores takes in one by one
PARTNER_MESSAGES_PER_S_MAX: Final = 1_000_000  # above it nothing is limited
PARTNER_MESSAGES_BURST: Final = 20_000  # a night's backlog: 80 full calls at once
PARTNER_MESSAGES_BURST_MAX: Final = 10_000_000  # as above
RATE_HOLD_MS: Final = 1_000  # who is over its rate waits so long for the word, then asks again
RATE_HOLD_APART_MS: Final = 100  # 10 refusals a second of one partner: a hundredth of a core
PARTNER_LANE_CALLS_MAX: Final = 8  # under way to one partner, if its entry says so
