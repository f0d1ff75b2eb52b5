"""Words that segments of paths are judged by."""

from __future__ import annotations

from typing import Final

__all__ = ["DOCUMENTED_WORDS", "FIRST_NAMES", "GENERAL_WORDS", "SUBRESOURCES", "TELLING", "TOKENS", "WORDS"]

_TOKENS_TEXT: Final = """
    ABIA ACCA AGE-SECRET-KEY- AIDA AIza AKIA AROA ASIA ATATT ATBB ATCTT CLOJARS_ EAAC EAACEdEose
    EZAK EZTK FLWPUBK FLWSECK GOCSPX- GR1348941 NRAK- NRII- NRIQ- NRJS- PMAK- PMAT- SG. ZMTR_ bkua_
    cfk_ cfut_ crates-io- csk- dckr_oat_ dckr_pat_ doo_v1_ dop_v1_ dor_v1_ dp.ct. dp.pt. dp.st.
    duffel_live_ duffel_test_ e2b_ esecret_ eyJ figd_ fio-u- gAAAAA gho_ ghp_ ghr_ ghs_ ghu_
    github_pat_ glagent- glc_ glcbt- gldt- glft- glimt- gloas- glpat- glptt- glrt- glsa_ glsoat-
    gsk_ hf_ hvb. hvr. hvs. ivk_ jina_ lin_api_ lin_oauth_ lmfwc_ lsv2_ mfp_ nfp_ npm_ ntn_ nvapi-
    ocid1. ops_eyJ pat-eu1- pat-na1- pcsk_ phc_ phx_ pk_ pk_live_ pk_test_ pnu_ pplx- pscale_oauth_
    pscale_pw_ pscale_tkn_ pypi- r8_ rc- rdme_ rk_ rk_live_ rk_test_ rnd_ rubygems_ samsara_api_
    sb_secret_ sbp_ sgp_ shpat_ shpca_ shpk_ shppa_ shpss_ sk- sk-ant- sk-or- sk-proj- sk-svcacct-
    sk_ sk_live_ sk_test_ sntrys_ sntryu_ sq0atp- sq0csp- sq0idp- tfp_ tk-us- tvly- wandb_ whsec_
    xai- xapp- xkeysib- xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxp- xoxr- xoxs- xsmtpsib- xwfp- ya29.
"""
TOKENS: Final = tuple(_TOKENS_TEXT.split())
"""How published formats of secrets begin: what stands behind one of these is hidden whatever it is."""

_TELLING_ONE_TEXT: Final = """
    vault vaults
    account accounts accountses address addressee addressees addresses alias aliases apikey apikeys
    appauthorization appauthorizations applicant applicants appointment appointments attendee
    attendees auth author authorization authorizations authors authorses bearer bearers
    beneficiaries beneficiary blob booking bookings borrower borrowers branch branches business
    businesses buyer buyers candidate candidates card cards case cases certificate certificates
    child children childs claim claimant claimants claims client clients code codes collaborator
    collaborators colleague colleagues companies company contact contacts contactses contributor
    contributors cookie cookies coupon coupons creator creators credential credentials csrf csrfs
    customer customers dependent dependents dm dms doctor doctors domain domains donor donors driver
    drivers email emails employee employees employer employers enterprise enterprises families
    family follower followers friend friends ftp giftcard giftcards group groups guest guests guid
    guids handle handles household households http https iban ibans identities identity inbox
    inboxes individual individuals inmate inmates invoice invoices join joins jwt jwts key keys lead
    leads learner learners lender lenders licence licences license licenses link links login logins
    magiclink magiclinks mail mailbox mailboxes mails manager managers member members merchant
    merchants minor minors mobile mobiles msisdn msisdns nickname nicknames nonce nonces order
    orders org organisation organisations organization organizations orgs otp otps owner owners
    parent parents participant participants partner partners passcode passcodes passenger passengers
    passphrase passphrases passport passports passwd passwds password passwords patient patients
    payee payees payer payers people person persons phone phones pin pins policyholder policyholders
    practitioner practitioners prescription prescriptions principal principals private profile
    profiles project projects promo promos prospect prospects provider providers raw realm realms
    recipient recipients recover recoveries recovers recovery redeem redeems referral referrals
    referrer referrers register reservation reservations resident residents rider riders secret
    secrets seller sellers sender senders session sessions shop shops sid sids signature signatures
    sponsor sponsors spouse spouses ssn ssns staff student students subscriber subscribers
    subscription subscriptions supplier suppliers talent talents teacher teachers team teams tenant
    tenants ticket tickets token tokens totp totps tutor tutors unlock unlocks user username
    usernames users validate vendor vendors viewer viewers visitor visitors volunteer volunteers
    voter voters voucher vouchers wallet wallets worker workers workspace workspaces
"""
_TELLING_ONE: Final = frozenset(_TELLING_ONE_TEXT.split())
"""Persons, tenants and secrets: the segment after one of these is hidden."""

_TELLING_TWO_TEXT: Final = """
    activate activates activation activations confirm confirmation confirmations confirms contents
    heads hook hooks invitation invitations invite invites magic magics repo repos repositories
    repository reset resets share shared shares unsubscribe unsubscribes verification verifications
    verifies verify webhook webhooks
"""
_TELLING_TWO: Final = frozenset(_TELLING_TWO_TEXT.split())
"""As above, for two segments: a token after an id, or a name after an owner."""

TELLING: Final = {**dict.fromkeys(_TELLING_ONE, 1), **dict.fromkeys(_TELLING_TWO, 2)}
"""Words, and how many segments after them are hidden."""

_SUBRESOURCES_TEXT: Final = """
    accept account accounts acknowledge acls action actions activate active activity acts add
    address addresses agents albums alerts aliases all analytics and applications archive archived
    artifacts as assign attach attachments attributes audience audit authorization authorize
    automations availability available avatar avatars balance balances batch begin block blocked
    bots branches branding brands browse buckets bulk bulk by calculate calendar calendars calls
    cancel cards catalogs certificates certs change channels charges chat chats check claims clear
    clone close codes collect collection columns comments commits complete completions compliance
    compute configs configuration configuration confirm connect connection connections consents
    contacts contracts conversation conversations copy costs count counts create credentials credit
    current custom customers dashboard dashboards deactivate deals debit default defaults
    definitions delegates delete deliveries departments deposits describe destroy detach details
    devices devices diff directory disable disassociate discard disconnect dismiss docker documents
    domains download draft drafts drafts drive drives duplicate edit email emails embeddings enable
    enabled encryption endpoint endpoints enroll entitlements entries environment environments
    episodes evaluate event events events events exchange execute exists expenses expire export
    exports factors favorites features features feed fetch fields files filter filters finalize find
    findings finish flags folders follow followers following for forms forwarding friends from
    functions generate get gists goals grant groups handles hangup heads health hidden history
    history hooks hooks hosts id identities identity idp ids image images images import imports in
    inactive inbound inbox index info init initialize insert insights instances integrations
    interfaces introspect inventory invitations invite invites invoices ip ips issue issues items
    jobs join jwks keys known labels latest leave ledgers library licenses lifecycle likes limit
    limits lines link list listings lists loans locations lock login logout logs lookup loyalty mail
    managed manager mappings mark me media meetings members membership memberships merge message
    messages messages metadata methods metrics migrate migrations milestones mitigation mobile
    models modify modules move multi mutate my namespaces new next nodes notes notifications notify
    oauth objects observability of offers on online open operations options or order orders
    organizations orgs os outbound outbox overview packages pages parameters partners password patch
    pause pay payloads payments pending people permission permissions permissions phone phones photo
    photos photos picture ping pipelines pixels plans play playlists points policies policy poll
    pools portals positions post posts preferences presence preview previews previous prices privacy
    process products profile profiles projects projects promotions prompts properties protection
    protocol providers provision proxies public publish purchases purge push put query queue quota
    quotas quotes rankings rates read readme rebuild receipts recent recently recordings recover
    recovery redeem refer referrals refresh refund refunds regions register registration
    registrations reject rejoin release releases reload reminders removal remove rename renew
    replace report reports repos repositories request requests resend reservations reset resolve
    resource resources restart restore restrict results resume retention retrieve retry return
    revalidate revert reviews revoke rewards roles rotate routes routing rules run runners runs
    sample save saved scan scans schedules schema schemas scopes search secret secrets secrets
    sections security segments select self send sending sent servers services session sessions set
    settings setup share shipments shops show shows sign signatures signin signing signout signup
    sites sources space spend spends spf stars start stat statement statements statistics stats
    status statuses steps stop storage stores stream streams streams studies submit subscribe
    subscription subscriptions subscriptions suggest suggestions summary support surveys suspend
    switch sync synonyms tables tags targets tasks tax taxes teams template templates tenants
    terminate test text texts themes threads thresholds tickets timeline to toggle token tokens top
    topics topup total trace traces track tracks traffic transactions transcript transfer transfers
    trash trash trigger triggers tunnels types unarchive unassign unblock undelete unfollow
    uninstall units unlink unlock unmark unpublish unregister unsubscribe unsuspend untag update
    upgrade upload uploads upsert usage use user users utterance validate value values variables
    vendors verification verify version versions vertical videos view views voice void votes
    vouchers wallet wallets watch watchers webhooks well whoami widgets with withdraw workers
    workflows workspaces zones
"""
SUBRESOURCES: Final = frozenset(_SUBRESOURCES_TEXT.split())
"""Verbs and collections that stand where an id could: ``users/search``, ``accounts/{id}/settings``."""

_FIRST_NAMES_TEXT: Final = """
    aaron adam adrian agnes ahmed aisha alan albert alejandro alessandro alex alexander alexandra
    alexis alfred ali alice alicia alina amanda amelia amir amy ana andrea andreas andrei andrew
    andy angela anita ann anna anne annie anthony anton antonio arthur arun ashley astrid barbara
    beatrice ben benjamin bernard bernd beth bjorn bob boris bradley brandon brenda brian bruce
    bruno carla carlos carmen carol caroline catherine charles charlotte chen chloe chris christian
    christina christine christopher claire clara craig cynthia daniel daniela david deborah denis
    dennis diana diego dieter dimitri dmitri doe dominic donald donna dorothy douglas edward eleanor
    elena eli elias elisabeth elizabeth ella ellen emily emma eric erik ernest esther ethan eva
    evelyn fabian fatima felix fernando fiona florian frances francesca francesco francis frank
    franz fred frederick friedrich fritz gabriel gabriela garcia gary george gerald gerard gina
    giovanni giulia giuseppe gloria greg gregory greta guido gustav hana hanna hannah hans harald
    harry hassan heather heidi heike helen helena helga henri henry hiroshi holly hugo ian ibrahim
    igor ingrid irene iris isaac isabel isabella ivan jack jackson jacob jacques jake jakob james
    jamie jan jana jane janet janine jasmine jason javier jean jeff jeffrey jennifer jeremy jerry
    jessica jim joan joanna joe johan johann johannes john johnny johnson jonas jonathan jorge jose
    josef joseph joshua joyce juan judith judy julia julian julie julien juliette jurgen justin
    karen karin karl katharina katherine kathleen kathryn katie kenji kenneth kerstin kevin khalid
    kim klaus kumar kyle lara larry laura lauren laurent lea leila lena leo leon leonard leonardo
    leonie leslie liam lina linda lisa logan lorenzo lothar louis louise luca lucas lucia lucy luigi
    luis luisa lukas luke lydia magdalena manfred manuel marc marcel marco marcus margaret margarita
    maria marie marina mario marion marta martha martin martina mary masha mateo mathias matthew
    matthias maurice maximilian megan mehmet melanie melissa michael michaela michel michelle miguel
    mike mikhail milan mohamed mohammed monica monika moritz mueller muhammad nadia nadine nancy
    natalia natalie natasha nathan neil nicholas nick nicolas nicole nikolai nina noah nora oksana
    olaf oleg olga oliver olivia omar oscar otto pablo pamela paolo pascal patricia patrick paul
    paula pavel pedro peter petra philip philipp philippe pierre piotr priya rachel rafael rainer
    raj rajesh ralph ramon raphael rebecca regina reinhard renate ricardo richard rick rita robert
    roberto robin roger roland roman ronald rosa ruben rudolf russell ruth ryan sabine sally
    samantha samuel sandra sanjay sara sarah sasha satoshi scott sean sebastian sergei sergey sergio
    sharon shirley silvia simon smith sofia sonja sophia sophie stefan stefanie stephanie stephen
    steve steven stuart sunita susan susanne suzanne sven svetlana sylvia takeshi tamara tanja
    tatiana teresa theodor theresa thomas tim timothy tina tobias tom tomas tony tyler udo ulrich
    ulrike ursula uwe valentina valeria vanessa vera veronica victor victoria viktor vincent
    virginia vladimir walter wanda wayne wei wendy werner wilhelm william wolfgang xavier yan yasmin
    yuki yuri yusuf yvonne zachary zara zoe
"""
FIRST_NAMES: Final = frozenset(_FIRST_NAMES_TEXT.split())
"""Frequent given names, and a few family names, that are no words of an API."""

_GENERAL_WORDS_TEXT: Final = """
    a admin amount amounts api apis app apps article articles assets assistants attachment audio
    auth autocomplete backend bank banks banner billing blog blogs board boards brand brokers
    callback callbacks candidates carriers cart carts cases catalog categories category channel
    charge checkout checkouts cities city class classes classify client clients comment commit
    companies company completion complex config contract countries country coupon coupons course
    courses credits currencies currency customer data database databases date dates deal delivery
    deposit design detail detect device directions discount discounts discovery disputes distance
    document domain dubbing edges effects embedding employees entities entity entry estimate expense
    external feature feedback feeds file fine flight flights folder follower forecast forecasts
    forward frontend fulfillment game games gateway generation generations geo geocode geocoding
    graph graphql group healthz hello holiday holidays hotel hotels hour hours incoming instance
    integration internal internationalization introspection invoice isolation item job journal
    journals json key label lead leads ledger lesson level levels line listing livez loan location
    machine map maps market markets matrix meeting member menu merchant merchants method mfa model
    moderation modifications module monolingual month monthly multilingual music name names nearby
    network networks news node note notification number numbers object odata offer office offices ok
    openid operation organisation organisations organization otp outgoing owner owners page partner
    parts patient patients payment payout payouts person place places plan playlist point pool
    portfolio position price pricing print priorities priority product project promotion property
    proposal protocols proxy purchase question questions queues quote rank rate rating ratings
    reaction reactions readyz realtime receipt recommendation recommendations record recording
    records reference references region relationships reminder repo repository rerank reservation
    reserved response responses rest result returns reverse review revocation reward role room rooms
    route row rows rpc sale sales saml sandbox schedule scim score scores screen season section
    segment sensor sensors server service shift shifts shipment shipping shop simple site sku skus
    sms snapshot snapshots soap sound sounds source spaces speech sso stock stocks store stories
    story student students survey synth synthesize table tag target task team tenant thread ticket
    time timer times topic totp tour tours tracking trade trades transaction transcribe
    transcription transcriptions transcripts translate translation translations trip trips tune
    tuning turbo tweets unit url urls userinfo v vector vehicle vehicles vendor venue venues video
    vision visit visits voices warehouse weather web webhook week wiki work worker workflow
    workspace wp xml year zone
"""
GENERAL_WORDS: Final = frozenset(_GENERAL_WORDS_TEXT.split())
"""Words that are frequent in APIs of every kind."""

_DOCUMENTED_WORDS_TEXT: Final = """
    aaguids ab abac abandon abort about abuse abusestatuses accelerator accelerators accepted
    acceptresourceshareinvitation access accesses accessgrantsinstance accessgrantsinstances
    accessibility accessible accessiblegmbaccounts accesslogs accesslogsettings
    accesslogsubscriptions accessors accesspoint accesspointfordirectory accesspointforobjectlambda
    accesspolicy accessproposals accesstokens accountlimit accountpermissions accountslist
    accountstatuses accounttax accumulate achievements ack acl acquire actionable actiongroups
    activation activationjob activationjobs activations activities actor actors actuations ad adapt
    adapter adapters adaptive adclients adcode additional addon addons addressing adexchangebuyer
    adjust adjustment adjustments administrator admins admissionregistration adopt ads adsensehost
    adunits advance advanced advertised advertisement advertiser advertisers advice advisories
    aerial affected agencies agency agent agentaliases agentcollaborators agentic agentinsights
    agentless agentspaces agentversions aggregate aggregated aggregatedutterances aggregates
    aggregation aggregations aggregator aggregatorv agreement ahead ai aiagent aiagents aiguardrails
    aiprompts airflow airports aisafety alarm alert alerting alertmanager alexa algorithm algorithms
    alias allocate allocation allocations allow allowed allowlist allowlisted alpha alter alternate
    amazonclouddirectory analyses analysis analysislogexports analysistemplates analyzable analyze
    analyzed analyzer ancestry anchor android androidenterprise androidpublisher annotate annotated
    annotation annotations announce announcements anomalies anomaly anomalydetectors anon anonymize
    anonymous answer answers antenna anthropic anycast anywhere apiassociation apicatalog
    apicategories apidocs apiextensions apikeys apim apimappings apipages apiproducts
    apiregistration apiserver apiservices apk apks apns appauthorizations appbundles appeal append
    appgroups apple appliance application applicationcomponent applicationcomponents applied apply
    appmonitor appmonitors approval approvals approvalworkflows approve approved appstore
    appstorecatalog arbitrary architecture archives archiving argo armor arms artifact artifacturl
    artists ases asns aspa aspect asps assemble assertion assertions assess assessment assessments
    asset assetlinks assignable assigned assignee assignees assignment assignments assist assistant
    associate associated associatedtranscripts associateresourceshare
    associateresourcesharepermission associatevpc association associations associationsessions
    assume assurances asymmetric async attached attack attackers attacks attempt attempts attendance
    attendees attention attest attestation attestations attestors attribute attribution auction
    audiences audiobooks auditable auditlog augment authentication authentications authenticator
    authenticators authinfo authn authorities authority authorizations authorized authorizeddomains
    authorizer authorizers authorizevpcassociation authors authpolicy authz autnum auto autofeed
    autofix autokey autolinks automated automatic automatically automation automationrules
    automationrulesv autonomous autopilot autoscale autoscalers autoscaling autoshift autoshifts
    availabilities avg aware away aws axfr azure backendenvironments backends backfill background
    backlog backup backups backward baidu balancer balancers bandwidth banners bans barcode bare
    barriers base based baseline baselines basepathmappings bases basic basin batchcreate
    batchdelete batches batchget batchinsert batchread batchupdate batchupdatev batchwrite behavior
    behaviors behind benchmarks benign beta bgp bi bid bidders bidding bidi bidirectional bids big
    bigquery bill billable billinginfo bin binary bind binding bindings birthdate bitbucket bitmap
    bitrate bits blacklist blame blob blobs blockchain blocking blocklist blocklists blocks blue
    blueprint blueprints book booking bookings bookmark bookmarks books bookshelves boot bootstrap
    borrow bot botaliases botanalyzer botlocales botnet botrecommendations botversions bounces
    boundaries boundary branch brandassignments breached break breakdown breakdowns breakpoints
    bridge bridges briefs broadcasts broker browser browsers brute bucket budget budgets buffer
    build builder building buildings builds built builtins bulkpublish bundle bundles buses business
    busy buyers bycategory byoc byoip bypass bypasses bypath bysdkversion bytes bytime byurl ca
    cacertificate cacertificates cache cached caches caching calculated calculation calculations
    calculators call caller calling campaign campaigns canaries canary canaryevaluations canceled
    canceljob canceljobs cancellation canned canvas canvases cap capabilities capability capacity
    captcha captchas captions captive capture captures carbon card cardholders cardinalities
    cardinality cardvalidationdata carousel cartesia case cash catch cdn cellreadiness cells center
    centers centralization cert certificate certificateauthorities certificatesigningrequests
    certifications chains challenge challenges changebatches changedblocks changelog changelogs
    changequorum changes changesets channelplacementgroups character characters charts chatcontrols
    chatkit chatresponseconfigurations checkeripranges checkoutsettings checkpoint checkpoints
    checks child children chime chrome chromeos chromewebstore chronological chunked chunks cidr
    cidrblocks cidrcollection cilogs cimd cissession civicinfo claim claimed claimwebsite
    classification classifications classrooms cleanup click clicks clientcertificates clientmetadata
    clientside climate clip clitoken clocks clones closest cloud cloudflare cloudforce cloudfront
    cloudinventoryservice cloudloading cloudrun clouds cloudwatch cluster clustered clusterlint
    clusterrolebindings clusterroles clusters clustertrustbundles cmek cnis code codegen codeowners
    codeql codereviews codesecurity codesnippet codespaces coding cohere cohort collaboration
    collaborations collaborative collaborators collectd collections collectionstatuses collectors
    colors colos column com combine combined command commands commerce commitment commitments common
    communication communications community compact companion compare comparisons compatibility
    compatible compatiblefields compilation compile completed completesignhash compliances component
    components componentstatuses compose composite compositepodgroups composition compositions
    compromised computation computed concatenation concept conclude concurrency conditions conduct
    conference conferences configmaps configurable configurationprofiles configurations configure
    configured configuredaudiencemodelassociations confirmation confirmdestination conflict
    conflicting conflicts confluent connected connectivity connector connectors
    connectorscanconfiguration connectorscanconfigurations connectorsv connects consent consistency
    console consolidated constants constraints construct constructs consume consumed consumer
    consumers contact container containers contains content contents context contexts continuous
    contributor contributors control controller controllerrevisions controllers controlpanel
    controlpanels controls conversational converse conversion conversions conversionsources convert
    cookie cookies coordination copies copilot core cores corpora correct correction corrections
    correlation corroborate cors cost coverage cpu crash crawl crawled crawlers
    createcomputeenvironment createconsumableresource created createjobqueue createpermission
    createpermissionversion createquotashare createresourceshare createschedulingpolicy
    createsecondary createserviceenvironment createuploadurl creation creative creatives creator
    credential creds criteria criterion critical crls cronjobs cross crossaccountauthorizations
    crypto cryptogram csam cse csidrivers csinodes csistoragecapacities cspm csrs csses csv ctas
    cuepoint cumulative curated curations curators currently cursor cursors customchannels
    customization customizations customized customizer customizers customresourcedefinitions
    customvocabulary cutover cycle cycles daemonsets daily dangerous dash dataaccess dataaccessors
    databricks datacenter datacollectors datafeeds datafeedstatuses dataflow datalake datalakes
    dataplane datapoints dataprocessing dataset datasets datasources datastore datastores
    datatransfer daterange dating day days daywise db dbaas ddl ddsql deactivations deadline
    deauthorize deauthorizevpcassociation debits debt debug debuggees debugger debugmask
    debugsessions decapsulate decisions declaration decline decode decommission decorated decrypt
    dedicated deepinspectionconfiguration deepinspectionstatus defense defer define defined
    definition degradation degradations deidentify delayed delegate delegated delegatedadminaccounts
    delegation delegations delegationset deletecomputeenvironment deleteconsumableresource
    deletejobqueue deletepermission deletepermissionversion deletequotashare deleteresourceshare
    deleteschedulingpolicy deleteserviceenvironment deletion deletions deliver deliverability delta
    demand demote denied deny deobfuscation department dependabot dependencies dependency dependent
    dependents deploy deployed deployementstrategies deployment deploymentmanager deployments
    deploymentstrategies deprecate deprovision deregister deregisterjobdefinition deregistertargets
    descendant describecomputeenvironments describeconsumableresource describejobdefinitions
    describejobqueues describejobs describequotashare describeschedulingpolicies
    describeserviceenvironments describeservicejob description descriptions descriptor descriptors
    descs designations designs dest destination destinations detailed detection detections detector
    detectors dev devcontainers developer developers development deviceclasses devicetaintrules
    devtools dfareporting dhcp diagnose diagnostic diagnostics dial dialer dialing dialog dialogues
    dicom dictionaries dictionary difference diffs digest digests dimension dimensions
    dimensionvalues direct directdeals direction directive directories disallow
    disassociateresourceshare disassociateresourcesharepermission disassociatevpc disassociations
    disbursements disclosure discover discoverability discoverable discovered discoveredprofiles
    discoverers discoveries disk disks dismissals dismissed dispatch dispatches display dispose
    dissociate distribute distribution distributions disturb divisions dkim dlp dmarc dns dnssec do
    docs documentation domainaliases domainmappings domainnameaccessassociations domainnames
    domainverifications dora doubleclickbidmanager doubleclicksearch down downgrade downloads
    downtime downtimes dpcs drawers drifts drop dropbox droplet droplets dropped dry due durable
    duration dynamic early earth ec echo edge edition edits edns effective ekm elastic elections
    eligibility eligible emailcontacts embed embedded emergency emissions emoji emojis employee
    enablement enablesharingwithawsorganization encoded encoder encounter encrypt encrypted
    encryptionkey end endpointslices enforce enforced enforcement engagements engine engineering
    engines enhanced enote enrichment enrichments enrolled enrollment enrollments enterprise
    enterprises entitle entitlement entra entrypoint enum enumerate envelope envelopes envgroups
    ephemeral ephemeralcontainers ephemerides ephemeris error errors escalate escalation establish
    estimated estimates estimation eula evals evaluatecode evaluatetemplate evaluation evaluations
    evaluators eventbridge eventdestinations eventing eventstream eventtypes everything evict
    eviction evictionrequests evictions evidence evolve exadata exadb example examples exascale
    exceeding exceptions excessive exchanges exclude exclusion exclusions exclusivity exec
    executable execution executions executor executors exemplars exemption exemptions exercise exist
    expand expanded expansion expectations experiences experiment experimentation
    experimentdefinitions experimentruns experiments expiration expiring expiry explain explanation
    explorer exportfiles exportjob exportjobs exportjobsv exporttasks exposure exposures express
    expression expressions expunge extend extended extensible extension extensionassociations
    extensions externally extinction extinctions extract extracted extraction extractors facet
    facets factor fail failback failed failover failure failures fallback fallthrough false families
    family familysharing fargate farms fast fastly fault faulty favicon favorite fcmv featured
    featurestores federate federated federation federations fees fetchcertchain fhir field
    filesystem filtered filtering finalized financial finder finding findingsfilters findingsv
    findingv finetune finetunes firebase firewall firewallpolicies firewalls firmware first fitness
    fixes fixtures flag flagship flaky fleet fleets flex floodlight flow flowcontrol flowhooks flows
    flowschemas flowsnapshot flush followed foo footer force forgot fork forks form formability
    formation formats forunmappedidentity foundation fragment fragments frame frames framework
    frameworks fraud free freelistingsprogram freetrial freetrialinfo frequency friendly friendships
    fulfill full function fund funding funnel fuota future gallery gapped garbage garden gates
    gatewayresponses gateways gb gcp gdpr gen generated generatedclient generatetag generatetags
    generative generators generic genre geofence geofences geofencing geolocation geolocations
    getappliedschema getjobqueuesnapshot getpermission getresourcepolicies
    getresourceshareassociations getresourceshareinvitations getresourceshares getwatchdetails gift
    git github gitignore global glossaries glossary glue glyphs gmail goal going goldengate googet
    google googleapis governance governed graders grades grading graduate grained grantable granted
    grantees grants graphs green greengrass gremlin grep grid grounding groundstation grouping grpc
    gtag guaranteed guardian guardians guardrail guardrails guest guid guide guidelines guides hamr
    harassment hardware harm harnesses harvest hash hashes hate head header headers healing
    healthcheck healthcheckcount healthchecks healthchecksource heartbeat heatmap held help helpers
    hibernate hide hierarchies hierarchy high hijacks histogram historical histories histsignals
    hitl hits hmac hold holdouts holds home homepage hook horizontalpodautoscalers host hosted
    hostedconfigurationversions hostedzone hostedzonecount hostedzonelimit hostedzonesbyname
    hostedzonesbyvpc hostname hostnames hot hourly hovercard html http https hub hubdb hubs hubv
    human hybrid hyperdrive hyperparameter hyperthreading iam icon idea ideas identification
    identifier identifiers identitycenter identitypools identitysources identitytoolkit idmapping
    idmappingtables idmappingworkflows idnamespaceassociations idnamespaces idps ignore ignored
    illicit imap immutable impact impacts impersonate impersonation importable imported importjob
    importjobs importtasks impression impressions improvements inapp inappmessages inappproducts
    incentive incentives incident incidents include increase increment indexed indexes indexing
    indicator indicators indices industries industry inference inferences inferred information
    informational infos infrastructure infrastructures ingest ingested ingestion
    ingestiondestinations ingestionjobs ingestions ingress ingressclasses ingresses inherit
    inheritance initial initials initiate inject inline input inputs inquiries inquiry insertion
    insight insightsdata inspect inspection inspections install installation installations installed
    installer installs instant instantiate instructions instrument instrumentation instruments
    intake integrated integrationresponses integrationtemplates integrators integrity intel intent
    intentmetrics intentpaths intents intentstagemetrics interaction interactions interactive
    intercept interconnect interconnects interests interface intermediate internalappsharing
    internet interpolated interpreter interpreters interrupt interrupts introspections invalidate
    invalidation inventories investigate investigation investigations invitable invitation
    invocation invocations invoiceitems invoke io ios ipaddresses ipam ipfs ipsec ipset is isolines
    isps issuance issuer issueresolution issuers issuing iterations javascript jira jitconfig
    jobruns jobtemplates journey journeys jquery jsonl jsonpatch judges judging jurisdictions
    justifications jwt kafka kekvalidation kernels keyless keymaterial keypairs keysets
    keysigningkey keystores keyvaluemaps keyword keywords kick kind kinds kinesis kms knative
    knowledge knowledgebases kpis kubeconfig kubernetes lab labeling labor lake lakes lambda landing
    landingzone landingzones lang language languages lans large last lastfailurereason lastn latency
    launch layer layers layersummary layout layouts lbaas ldapssettings leaderboards leaked leaks
    learning lease leasecandidates leases least legacy legal lens lenses levers lexicons liasettings
    libraries license licensing liens life lifecycleconfiguration lifetime lift liked likedassets
    liking limitranges lineage linear linkable linked links lint linux listconsumableresources
    listen listeners listjobs listjobsbyconsumableresource listlinks listpendinginvitationresources
    listpermissionassociations listpermissions listpermissionversions listprincipals listquotashares
    listreplacepermissionassociationswork listresources listresourcesharepermissions
    listresourcetypes listschedulingpolicies listservicejobs listsourceassociations listtargets lite
    live livestream livestreams load loader local locales localinventory localsubjectaccessreviews
    lockdowns locked lockers lockout locks log logger loggers logging logical logically logins logo
    logos logpush logsink logsources long longrunning longrunningrecognize loops losing loss luns
    mac macemvpinchange machines macie macsec magic maintainers maintenance maintenances major make
    malicious malware manage managedapis managedresources management managers mandates manifest
    manifests manual mapped mapper mapping markdown marker marketing marketplace marks masking
    master match matchers matches matching matchingworkflows material materialized materials
    matrices matters maven max mcp measurement mediation medical meet memories memory mentions
    merchantsupport merged merges merging meshes messaging meta metagame metal meter metered meters
    metric metricsdestination metros microdeposits microvm microvms migratable migrating migration
    migrationworkflow migrationworkflows migrationworkflowtemplate migrationworkflowtemplates migs
    mini minor minors mint minute mirroring mirrorings miscategorization misconfigured missing
    missionprofile mistral mistralai mitigate mitigationactions mitigations ml moas mode
    modelinvocations modeltraining modeltransform moderate moderations moderators modes modifier
    modifiers monetization money monitor monitored monitoring monitoringstate monitors months mount
    mpim mrap ms mtls multicast multicloud multifactor multipart multiple multiplexes multistep
    mutatingadmissionpolicies mutatingadmissionpolicybindings mutatingwebhookconfigurations mutation
    mute mutes muting mybooks myconfig mylibrary mysql named nameserver nameservers namespace
    namespaced nat national native navigate nearest need needing negative negotiation neighbors
    netflows networking networkpolicies nfs nginx no nonce normalization not notary notebook
    notebooks notice notificationsubscriptions notifiers now npm objectives obliterate observation
    observations observer obtain occurrence occurrences octocat oembed offering offerings offline
    oidc okta omnichannel onboarding ondemand one onetimeproducts onramps ons ontap openai openapi
    opencypher opensearch operating operational operator operators opsgenie opt optim optimal
    optimization optimizations optimize optimized optimizer optimizers orchestrators ordering
    orderinvoices orderreports orderreturns ordersbymerchantid ordertracking ordertrackingsignals
    org organizational organizationconfiguration orgunits origin original origination origins osis
    ota otel other out outages outcomes outpost outposts output outputs outs outside over overall
    overlap override overrides overviews owned ownership ownerships pacfiles pack package packaging
    packet packets packs pagerduty pagerules pageviews paid pair paired pairs param parameter params
    parent parentpaths parents part partials participant participants participation participations
    partition partitions party pass passkeys passwords past path paths pattern patterns payload
    pcaps pdf peek peer peered peering peerings peers pentest pentests per percent percentage
    percentiles perf perform performance performancereport performances perimeter perimeters period
    periods permalink permanent permit permits permitted persistent persistentvolumeclaims
    persistentvolumes persona personal personalization personalize personalizedstream persons phases
    phishguard phrase physical picker pickup pin pindata pings pinned pins pipeline pipes pitr pivot
    placement placements plane plannable planners planning platform platforms playable playback
    playbooks played player players playground playing pluggable plugin plugins pod podcasts
    podcertificaterequests poddisruptionbudgets podgroups pods podtemplates policystatus popular
    populate port portability portal portalproducts portfolios portforward porting ports
    posdataproviders positive postal postgrest postmortem postmortems posture postures powerforms
    powerpacks pr practiceruns pre prebuilt precheck preconfigured precursor predefined predict
    prediction predictions preference preferred prefetch prefix prefixes prefs premium preparations
    prepare prepayment preregistered present presentations presets presigned pretargeting
    pretargetingconfigs prevention previewprivacyimpact prewarm prewarmed pricingplan primary
    principal principals printer printers prioritize priorityclasses prioritylevelconfigurations
    privacybudgets privacybudgettemplates private privateauction privileged privileges probe probes
    processed processes processing processor processors prod prodlytics producer productdeliverytime
    productpages productrestendpointpages productstatuses productsv proficiencies profileassociation
    profileassociations profileid profileresourceassociation profileresourceassociations profiling
    program programmable programs progress progressive projected prom prometheus promooffer promote
    promotepermissioncreatedfrompolicy promoteresourcesharecreatedfrompolicy prompt proof
    propagation propertygraph proposals propose prorations protected provenance provide provided
    provider providerservices provisional provisioned provisioning pruned publication publications
    published publishedversion publisher publishers publishing pubsub pubsubnotificationsettings
    pull pulls punch purchasable purchased purpose pydo python qa qbusiness quality quantum queries
    queryloggingconfig questionnaires queued quic quick quicksight rack radar rag ramp ramps random
    range ranges ranking rapid raster rateplans raw rayids rbac rbacrolebindings reach reaching
    reactivate reader readers readiness readinesschecks readingpositions reads readset readsets
    ready real realm realms reason reasoning reasons reassign reassignments reauthorize rebalancing
    rebase reboot rebuilds recall recaptcha receive received recipe recipes recipient recipients
    reclaim reclassify recognize recommend recommended recommender recommenders reconcile
    reconfigure recoverable recoveries recoverygroupreadiness recoverygroups recrawl recreate
    recursion recursive recycle redact redaction redeliver redirect redirects reenable reencrypt
    referencedby referencestore referencestores referral referrers refine refreshable refs
    regenerate regeneration regional regionalinventory registered registerjobdefinition
    registertargets registrar registrationcode registries registry regular regulations regulatory
    reidentify reimage reinforcement rejectdomainnameaccessassociations
    rejectresourceshareinvitation rekey relate related relatedaccountgroupmemberships
    relatedaccountgroups relation relations relationship relay relays relevant reliability relocate
    relyingparty remaining remarketing remediation remediations remember remix remote removecontent
    render renderaccountissues rendered rendering renderproductissues renewal renewals reopen
    reorder repair replacepermissionassociations replay replays replica replicas replicasets
    replicate replication replicationcontrollers replications replicators replies reply reportdata
    reporting reportsv repricing reprocess reprovision reputation requested requester
    requestgmbaccess requesting requestinventoryverification requestparameters
    requestphoneverification requestreview requestvalidators required requirement requirements
    rerequest rerun reschedule research reseller resellernotify reserve resets resilience resiliency
    resize resolution resolved resolver resolvers resourcearn resourceclaims resourceclaimtemplates
    resourceconfigurations resourceendpointassociations resourcefiles resourcegateways resourceid
    resourcepolicy resourcepoolstatusrequests resourcequotas resourceservercredentials resourcesets
    resourceslices resourcesv respond responder responders responsive restapi restapis restores
    restricted restriction restrictions resulturl resync retail retained retired retract retransform
    retrieval retrievalinstructions retrieved retrievers retryworkflowstep returncarrier
    returnpolicyonline retweet retweeted retweeters retweets reusable reusabledelegationsetlimit
    reuse reveal reversal reversals reviewed reviewers reviewrefund revision revisions revocations
    rewrite rings risk risks roads roas robots roleassignments rolebindings roll rollback rollout
    rollouts rollup romanize root rotating rotation router routeresponses routers routesettings
    routines routingcontrol routingcontrols routingrules rpki rrset rrsetchanges rrsetprotection
    rrsets rubric rubrics rule rulegroupsnamespaces rulesets rum rummetrics runner running runtime
    runtimeclasses runtimeconfig runtimes runtimespecs saas safe safety safetyrule safetyrules
    salesforce samples sampling sankey sarifs sas satellite savedcolumns savings sbom sbomexport
    sboms scalar scale scaling scanned scanner scanning scenario scenarios scenes scheduled
    scheduledaudits scheduling schemacreation schemav science scope scoped scorecard scorecards
    scoring scram scrape scraperconfiguration scrapers screenshot screenshots scribe script scripts
    sdfdownloadtasks sdfuploadtasks sdk sdks sdktypes sdkversions seal seals searchapplication
    searchapplications searches searchkeywords seasonality seats second secondary secure
    securityconfigurations securitytxt seed seeds seek seen selected selections selective
    selfsubjectaccessreviews selfsubjectreviews selfsubjectrulesreviews semantic semantics sender
    senders sense sensitive sensitivity sentences sentiment sequence sequences sequencestore
    sequencestores sequential serial series serve serverconfig serverless serverside serviceaccount
    serviceaccounts servicecidrs servicenetworkresourceassociations servicenetworks
    servicenetworkserviceassociations servicenetworkvpcassociations
    servicenetworkvpcendpointassociations servicenow servicerole serving sessionmetrics
    setdefaultpermissionversion setinventoryverificationcontact setomnichannelexperience
    setposdataprovider sets setting setupcomplete setups severity sexual sfdc sha shadercaches
    shadow shadows shapes shaping shareable shared sharedflows shares sharing sharingpolicy sheets
    shell shelves shield shielded ship shippingsettings shoppingadsprogram short shortening shrink
    siem sigma signal signaling signals signature signed signhashsessioninfo silences sim sims
    simulate simulation simulations single sink sinkholes sinks sip sippy siprec sitemaps sitter
    size sizes skill skills slack slackbot slate slices slo slos slot slots slottypes slow slugs
    slurper smart smime smtp snap snippet snippets snmp snooze snoozes snowflake social software
    softwaresets softwarev solution solutions solvers some sonic sourcemaps spam spans spark sparql
    speaker spec special specialist specs spectrum speeches speed spending spice split splits spoke
    spokes spoof spots spreadsheets sprites sql sse ssh ssl ssrs stack stacks stacktraces stage
    stages staging stale standard standards star stargazers starred startgeneration startsync state
    statefulsets stateless states static statistic statuspage statuspages statusv stegadography step
    stepgroups stix stopbotrecommendation stopping stopruntimesession stopsync storageclasses
    storagelens storagelensgroup storagemigration storageversionmigrations storageversions stored
    strategies streamgroups streaming streamsessions streamurls string strong structure structures
    stubbed stuck studio study style styles sub subaccounts subagents subchannels subdomain
    subdomains subgraph subject subjectaccessreviews subjects submission submissions submitjob
    submitservicejob submitted subnets subnetwork subnetworks subproperty subscribed subscriber
    subscribers subscriptionsv subtasks subtests subtype succeed succeeded success suggested
    suggestion suite suites summaries summarize super supplemental suppliers supported supporting
    suppression suppressions surface suspended suspensions suspicious swap switchover symbols
    syncconfigs synchronization synchronizations synchronize synchronized syncjobs syncs synonym
    syntax synthesis synthetic synthetics system systemone systems tablets tabs tabular tagging
    tagmanager tagresource tail tails take takeover tarball targetable targeted targetgroups
    targeting targetservers taxonomies tcp teachers teamdrives teamnet telemetry temp templatestep
    templatestepgroups templatesteps temporary tenancies tenancy tensorboard tensorboards tensorflow
    term terminal terminals terminatejob terminatejobs terminateservicejob terminateservicejobs
    termination terms terraform testable testdnsanswer tester testers testexecutions testing
    testorders testordertemplates testreturn tests testsetdiscrepancy testsetgenerations testsets
    that theme thing things third this threat threatening threatentityset threatintelset threats
    three threshold throttling throughput throughputs thumbnail thumbnails ticketsv tier tiered
    tiering tiers tiff tile tiles timecards timelines timeoff timeoffs timeout timeouts timeseries
    timesheet timestamp timing tini title tlds tls today todos together tokeninfo tokenized
    tokenreviews toll tollfree tomarkdown tone tool toolbelts tooling toolkits toolresults tools
    toolsets toolspec topologies topology topups totals touch traced tracer traceroute tracers
    tracing trackers trafficpolicies trafficpolicy trafficpolicyinstance trafficpolicyinstancecount
    trafficpolicyinstances train trainability trained training trait traits trajectory transactional
    transferable transformations transformers transit transition transitive transport transports
    travel treasury tree trees trend trends trendsv triage trial trials triggeraction triggered
    troubleshoot truncate trunking trunks trust trustanchor trustanchors trusted trustedentityset
    tsigs tuned tunes tunnel turn turns twilio type typeahead typedlink typical typing udids
    uischemas uname unapprove unbind unclaim uncollectible undeploy undo unenroll unfreeze unfurl
    ungroup unharden unhide unignore uniqueids universal unlinked unmappedids unmount unmute unpaid
    unregistered unreject unreserve unresolve unretweet unrevoke unsampled unset unshare unstable
    unstack unsupported untagged untagresource untrash up updatecomputeenvironment
    updateconsumableresource updated updatejobqueue updatelabels updatepermission updateproposal
    updatequotashare updateresourceshare updates updateschedulingpolicy updateserviceenvironment
    updateservicejob updatetransaction upfront upgradability upgradeable upgradeapplied
    upgradepublished upgrades upstream upstreams uptime uptimes uri uris urlchannels urlscanner
    usable usageplans usages usecases useraccess userdata usergroups userinvitations username
    userprofiles useruploaded utilization utils utterancemetrics utterances uuid vacation valid
    validatingadmissionpolicies validatingadmissionpolicybindings validatingwebhookconfigurations
    validation validations validators valued var variable variant variants variation variations
    vault vaults vcenter vectorize vectors vega verdict verifiable verifications verified
    verifyphonenumber versioning vertex vettings videoconferencing viewed viewer viewership
    violation violations violent virtual virtualclusters virtualmachineinstances visibility visitor
    vm vms vmware vocabulary voidedpurchases voip volume volumeattachments volumeattributesclasses
    volumes voterinfo vpc vpcconfigurations vpclinks vpcs vpcsc vpn vuln vulnerabilities
    vulnerability vulnerable waba waf wage wages wait waiters waiting wakelock wakeup walletobjects
    wans warmup warning warnings warp wasm watches watching water waterfall watermark watermarks
    wave waves waypoints webauthn webmasters webproperties webrtc webtoken weights whatsapp where
    whois widget wildfire window windows winning wipe wire wireless without words workerpools
    workflowstep workflowstepgroup workflowstepgroups workflowsteps workforce workload workloads
    workstation workstations workweek wrapped wrapping write xunit yaml yearly yesterday your
    youtube yubikey zaraz zerotrust zipball zonalshifts
"""
DOCUMENTED_WORDS: Final = frozenset(_DOCUMENTED_WORDS_TEXT.split())
"""Further words in the documented routes of 570 public APIs; ``tests/aggregation/corpus`` names them."""

WORDS: Final = SUBRESOURCES | GENERAL_WORDS | DOCUMENTED_WORDS
"""Words that stay."""
