"""Words that segments of paths are judged by."""

from __future__ import annotations

from typing import Final

__all__ = [
    "COMPANIES",
    "DOCUMENTED_WORDS",
    "FIRST_NAMES",
    "GENERAL_WORDS",
    "IDENTIFIER_WORDS",
    "LAST_NAMES",
    "NUMBERED",
    "SUBRESOURCES",
    "TELLING",
    "TOKENS",
    "WORDS",
]

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
    vault vaults account accounts accountses address addressee addressees addresses alias aliases
    apikey apikeys appauthorization appauthorizations applicant applicants appointment appointments
    attendee attendees author authorization authorizations authors authorses bearer bearers
    beneficiaries beneficiary booking bookings borrower borrowers business businesses buyer buyers
    candidate candidates card cards case cases certificate certificates child children childs claim
    claimant claimants claims client clients code codes collaborator collaborators colleague
    colleagues companies company contact contacts contactses contributor contributors cookie cookies
    coupon coupons creator creators credential credentials csrf csrfs customer customers dependent
    dependents dm dms doctor doctors domain domains donor donors driver drivers email emails
    employee employees employer employers enterprise enterprises families family follower followers
    friend friends giftcard giftcards group groups guest guests guid guids handle handles household
    households iban ibans identities inbox inboxes individual individuals inmate inmates invoice
    invoices join joins jwt jwts key keys lead leads learner learners lender lenders licence
    licences license licenses login logins magiclink magiclinks mail mailbox mailboxes mails manager
    managers member members merchant merchants minor minors msisdn msisdns nickname nicknames nonce
    nonces order orders org organisation organisations organization organizations orgs otp otps
    owner owners parent parents participant participants partner partners passcode passcodes
    passenger passengers passphrase passphrases passport passports passwd passwds password passwords
    patient patients payee payees payer payers people person persons phone phones pin pins
    policyholder policyholders practitioner practitioners prescription prescriptions principal
    principals profile profiles project projects promo promos prospect prospects realm realms
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

_TELLING_WEAKLY_TEXT: Final = """
    auth blob branch branches ftp http https identity link links mobile mobiles private provider providers raw
"""
_TELLING_WEAKLY: Final = frozenset(_TELLING_WEAKLY_TEXT.split())
"""As above, but known words stay: most that follow one of these are static."""

TELLING: Final = {
    **dict.fromkeys(_TELLING_ONE, 1),
    **dict.fromkeys(_TELLING_TWO, 2),
    **dict.fromkeys(_TELLING_WEAKLY, 9),
}
"""Words, and how many segments after them are hidden."""

_SUBRESOURCES_TEXT: Final = """
    abort about absences accept access account accounts ack acknowledge acls action actions activate
    active activity acts add address addresses admin after age agents aggregate albums alerts
    aliases all allocate amend analysis analytics analyze and annotate anonymous api append
    applications apply approval approve archive archived artifacts as assert assign attach
    attachments attribute attributes audience audit authenticate authorization authorize
    autocomplete automations availability available avatar avatars balance balances banner basic
    batch before begin bind birthdate birthday blacklist block blocked book bots branches branding
    brands breakdown browse buckets budget build bulk bump buy by calculate calendar calendars call
    callback calls cancel capture cards catalogs catch categorize category certificates certs change
    channels charge charges chat chats check checkin checkout claims classify clean clear clone
    close closed codes collapse collect collection color colour columns combine comments commit
    commits common compare compile complete completions compliance compose composite compress
    compute config configs configuration confirm connect connection connections consents contacts
    content contracts conversation conversations convert copy correct costs count country counts
    crawl create credentials credit csv currency current custom customers daily dashboard dashboards
    date deactivate deals debit debug decline decode decrypt dedupe default defaults defer
    definitions delegates delete deliveries demand demote deny departments deploy deposits deprecate
    describe destroy detach details detect device devices diagnostic dial diff directory disable
    disassociate discard disconnect dismiss dispatch display dispute docker documents domains
    download downvote draft drafts drive drives drop dump duplicate edit educations email emails
    embed embeddings emit enable enabled encode encrypt encryption end endpoint endpoints enqueue
    enrich enroll enter entitlements entries environment environments ephemeral episodes escalate
    estimate eta evaluate event events exchange exclude exec execute exist exists exit expand
    expenses expire expiry explain export exports extend external extra extract factors fail
    favorites features feed feedback fetch fields files fill filter filters finalize find findings
    finish first fix flag flags flush folders follow followers following footer for forget fork form
    format forms forwarding freeze friends from full functions gender generate get gists goals grant
    graph groups guid handles hangup heads health height hidden hide history hit hold hooks hosts
    hourly html icon id identities identity idp ids ignore image images impersonate import imports
    in inactive inbound inbox include income index info ingest init initialize insert insights
    inspect install instances integrations interfaces internal international introspect invalidate
    inventory invitations invite invites invoices invoke ip ips issue issues items job jobs join
    json jwks jwt keys kick kill known labels language last latest launch ldap leave ledgers level
    library licenses lifecycle like likes limit limits lines link list listings lists load loans
    locale locate locations lock log login logo logout logs lookup loyalty mail main manage managed
    manager manifest map mappings mark match me measure media meetings members membership
    memberships merge message messages meta metadata methods metrics mfa migrate migrations
    milestones mine mint mirror mitigation mobile models modify modules monitor monthly mount move
    multi mutate mute my name namespaces nearby negotiate new next nodes notes notifications notify
    oauth objects observability obtain of offers oidc on online open operations opt options or order
    orders organizations orgs os outbound outbox overview own pack packages pages parameters parse
    partners password patch pause pay payloads payments pdf pedigree pending people permission
    permissions phone phones photo photos pick picker picture pin ping pipelines pixels plan plans
    platform play playlists points policies policy poll pools popular portals positions post
    postcode postpone posts precheck predict preferences premium prepare presence preview previews
    previous price prices print privacy privilege process produce productivity products profile
    profiles program projects promote promotions prompts properties prospects protection protocol
    providers provision proxies prune public publish pull punch purchase purchases purge push put
    pvt qr quality query queue quota quotas quotes range rankings rate rates read readme reassign
    rebuild recalculate receipt receipts receive recent recently recognize recommend reconcile
    record recordings recover recovery redeem redirect redo reduce ref refer referrals refresh
    refund refunds region regions register registration registrations reindex reject rejoin relate
    relay release releases reload remind reminders removal remove rename render renew reopen reorder
    repair repeat replace replay reply report reports repos repositories request requests require
    reschedule resend reservations reserve reset resize resolve resource resources respond restart
    restore restrict resubmit results resume retention retire retrieve retro retry return revalidate
    reverse revert reviews revoke rewards rewind roles roll rollback rotate route routes routing
    rules run runners runs runtime saml sample sanitize save saved scale scan scans schedules schema
    schemas scim scopes score seal search secret secrets sections security see seed segments select
    self send sending sent serve servers services session sessions set settings setup share shift
    ship shipments shops short show shows shuffle shutdown sign signatory signatures signin signing
    signout signup simple simulate site sites size skip sleep sms snooze sort sources space spec
    spend spends spf split sso stage standard star stars start stat state statement statements
    statistics stats status statuses steps stop storage stores stream streams strip studies submit
    subscribe subscription subscriptions substitute subuser suggest suggestions summary support
    surveys suspend swap switch sync synonyms table tables tag tags take targets tasks tax taxes
    teams template templates tenants terminate test text texts themes threads thresholds throttle
    tickets timeline timezone to today toggle token tokens tomorrow top topics topup total touch
    trace traces track tracks traffic train transactions transcode transcript transfer transfers
    transform translate trash tree trending trigger triggers trim truncate try tunnels type
    typeahead types unarchive unassign unban unbind unblock undelete undo unfollow unfreeze ungroup
    unhide uninstall units unlike unlink unlock unmark unmute unpin unpublish unread unregister
    unstar unsubscribe unsuspend untag unwatch update upgrade upload uploads upsert upvote uri url
    usage use user users utterance uuid validate value values variables vat vendors verification
    verify version versions vertical videos view views visit voice void vote votes vouchers wait
    wake wallet wallets warm watch watchers webhooks weekly weight well whitelist whoami widgets
    wipe wireless with withdraw workers workflows workspaces wrap write xml yearly yesterday zip
    zones
"""
SUBRESOURCES: Final = frozenset(_SUBRESOURCES_TEXT.split())
"""Verbs and collections that stand where an id could: ``users/search``, ``accounts/{id}/settings``."""

_FIRST_NAMES_TEXT: Final = """
    aarav aaron adam aditi adrian agnes agnieszka ahmed aino aisha alan albert alejandro aleksandr
    alessandro alex alexander alexandra alexis alfred ali alice alicia alina amanda amara amelia
    amelie amir amy ana ananya anastasia anders andrea andreas andreea andrei andrew andy angela
    anita ann anna anne annie anthony anton antonio anya arjun arthur arun ashley astri astrid
    aurelie ayse barbara beatrice beatriz ben benjamin bernard bernd beth bjarne bjorn bob bogdan
    bohdan boris bradley brandon brenda brian bruce bruno camila carla carlos carmen carol caroline
    catarina catherine celine charles charlotte chen chidi chloe chris christian christina christine
    christopher claire clara conchita craig cynthia daniel daniela david deborah deepak denis deniz
    dennis diana diego dieter dimitri dimitris dmitri dmytro doe dominic donald donna dorothy
    douglas duarte edward eero einar ekaterina eleanor elena eleni eli elias elif elisabeth
    elizabeth ella ellen elsa emily emma emre eric erik ernest esther eszter ethan eva evelyn fabian
    fatima fatma felix fernando fiona florian frances francesca francesco francis frank franz fred
    frederick freja friedrich fritz fritzi gabor gabriel gabriela garcia gary gaston george gerald
    gerard gina giorgos giovanni giulia giuseppe gloria greg gregory greta guadalupe guido guillaume
    gustav hana hanna hannah hans harald harry haruto hassan heather heidi heike heinrich helen
    helena helga henri henrik henry hiroki hiroshi holly hugo ian ibrahim igor ines ingrid ingvar
    ioana irene iris isaac isabel isabella istvan ivan jack jackson jacob jacques jake jakob james
    jamie jan jana jane janet janine jasmine jason javier jean jeff jeffrey jennifer jeremy jerry
    jessica jiahao jim jiri jiwoo joan joanna joao joaquin jochen joe johan johann johannes john
    johnny johnson jonas jonathan jonny jorge jose josef joseph joshua joyce juan judith judy
    juergen juha julia julian julie julien juliette jurgen justin karen karim karin karl katarzyna
    katharina katherine kathleen kathryn katie katya kenji kenneth kenta kerstin kevin khalid kim
    klaus kofi kostas krzysztof kumar kwame kyle lara larry lars laszlo laura lauren laurent layla
    lea leila lena leo leon leonard leonardo leonie leslie leticia liam lina linda lindiwe linnea
    lisa logan lorenzo lothar lotte louis louise luca lucas lucia lucie lucy ludwig luigi luis luisa
    lukas luke lupe lydia mads magdalena maja malgorzata manfred manuel marc marcel marco marcus
    marek margaret margarita margaux maria marie marina mario marion marisol marta martha martin
    martina mary masha mateo mathias mathieu mathilde matthew matthias matti maurice maximilian
    megan mehdi mehmet meiling melanie melissa michael michaela michel michelle miguel mihai mika
    mike mikhail milan minjun mohamed mohammed monica monika moritz mueller muhammad mustafa mykola
    nadia nadine nancy natalia natalie natasha nathan neil ngozi nicholas nick nicolas nicole nikhil
    nikita nikolai nikos nina noah noemie nora nour oksana olaf oleg oleksandr olena olga oliver
    olivia omar oscar oskar otto pablo paco pamela paolo pascal patricia patrick paul paula pavel
    pedro pepe peter petr petra philip philipp philippe pierre piotr pooja priya rachel rafael rahul
    rainer raj rajesh ralph ramon raphael rebecca regina reinhard renate ricardo richard rick rita
    robert roberto robin roger rohan roland roman ronald rosa ruben rudolf rui russell ruth ryan
    sabine sakura sally salma samantha samuel sandra sanjana sanjay santiago sara sarah sasha
    satoshi scott sean sebastian sebastien seoyeon sergei sergey sergio sharon shirley sigrid silvia
    simon sipho smith socorro sofia sofie sonja sophia sophie stanislaw stefan stefanie stephanie
    stephen steve steven stuart sunita susan susanne suzanne sven svetlana sylvia takeshi takumi
    tamara tanja tatiana tatyana teresa tereza thabo theodor theresa thiago thibault thomas tiago
    tim timothy tina tobias tom tomas tony tunde tyler udo ulrich ulrike ursula uwe valentina
    valeria vanessa vasily vera veronica victor victoria vikram viktor vincent virginia vladimir
    walter wanda wayne wei wendy werner wilhelm william wojciech wolfgang xavier xiaoming ximena yan
    yasmin yifan youssef yui yuki yuri yusra yusuf yvonne zachary zainab zara zoe zsofia
"""
FIRST_NAMES: Final = frozenset(_FIRST_NAMES_TEXT.split())
"""Frequent given names, and a few family names, that are no words of an API."""

_LAST_NAMES_TEXT: Final = """
    abdullah adeyemi aguilar ahmed alvarez andersen anderson andersson bailey bakker bauer becker
    bennett bianchi bloggs brooks butler castillo chavez chen choi clarke cohen coleman collins
    cooper davies davis demir devries diaz doe dubois durand edwards ellis eriksson esposito evans
    fernandez ferrari ferreira fischer fisher flores foster garcia gibson gomez gonzalez graham
    griffin gupta gutierrez hansen harris harrison hartmann hassan hayes henderson hernandez herrera
    hoffmann hofmann huang hughes hussain ito ivanov ivanova jackson jansen jenkins jensen jimenez
    johansen johansson johnson jones karlsson kaya kelly khan kobayashi koch kowalski krause krueger
    kumar kuznetsov larsen lefebvre lehmann leroy levy lewis lopez maier martinez mcdonald mcdonnell
    medina meier mendoza mensah meyer miller morales moreau moreno morris mueller muller murphy
    murray mustermann nakamura neumann nguyen nielsen nilsson novak nowak obrien oconnor okafor
    okonkwo oliveira olsen ortiz patel patterson pedersen pereira perez perry petrov petrova pham
    popov powell rahman ramirez ramos reyes reynolds richardson richter rivera roberts robinson
    rodriguez rogers romano romero ross rossi rousseau ruiz russell russo ryan sanchez sanders
    santos sato schaefer schmidt schmitt schneider schroeder schulz schulze shah sharma silva
    simmons simpson singh smirnov smith sokolov souza stewart suzuki takahashi tanaka taylor
    thompson torres tran vasquez visser wagner walker wang washington watanabe watson weber werner
    williams wilson wisniewski wright yamamoto yang yilmaz zhang zhao zhou zimmermann
"""
LAST_NAMES: Final = frozenset(_LAST_NAMES_TEXT.split())
"""Frequent family names, which follow a given name or its first letter: ``janedoe``, ``jdoe``."""

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

_COMPANIES_TEXT: Final = """
    airlines brothers capital consulting corp electric energy enterprises gmbh holdings inc
    industries labs llc logistics ltd motors pharma plc software solutions sons studios systems tech
    technologies ventures
"""
COMPANIES: Final = frozenset(_COMPANIES_TEXT.split())
"""Last words of companies' names."""

_NUMBERED_TEXT: Final = """
    10dlc 2d 2fa 2xx 3d 3ds 3ds1 3ds2 3g 3gp 3gpp 3xx 4g 4k 4xx 50p 5g 5xx 8k 95p 99p a11y a2a a2p
    ac3 aes128 aes192 aes256 av1 b2b b2c b2g base16 base32 base58 base62 base64 base85 bep2 bep20
    bep721 bip32 bip39 bip44 blake2 brc20 c2b c2c c2pa cc2 co2 crc32 d1 d2c d365 dhcp4 dhcp6 dhcpv4
    dhcpv6 dstu2 e164 e2e e911 ec2 ed25519 eip1559 eip712 erc1155 erc20 erc721 es256 fido2 g2p ga4
    gen2 gpt2 gpt3 gpt4 gs1 h264 h265 h323 h5 hex2 hs256 html5 http1 http2 http3 i18n i2c iec61850
    ikev1 ikev2 imap4 int16 int32 int64 int8 ip4 ip6 ipv4 ipv6 iso20022 iso27001 iso3166 iso4217
    iso8601 j2ee jp2 k8s l1 l10n l2 l2tp l2vpn l2vpns l3 l3vpn l3vpns l4 l7 latin1 lwm2m m2m m365
    m3u m3u8 md4 md5 mp2 mp3 mp4 mpeg2 mpeg4 mq2 mt103 mt940 n8n nep17 nep5 no2 o2c o365 oauth1
    oauth2 oidc2 ospf2 ospf3 ospfv2 ospfv3 p12 p2p p2pkh p2sh p7b p8 pbkdf2 pgp2 pkcs1 pkcs11 pkcs12
    pkcs7 pkcs8 pm10 pm25 pop3 psd1 psd2 psd3 q1 q2 q3 q4 qr2 r2 r4 rc4 ripemd160 route53 rs256
    rsa2048 rsa4096 s1 s3 saml1 saml2 scim2 secp256k1 sha1 sha2 sha224 sha256 sha3 sha384 sha512
    slip44 slp1 smb2 smb3 snmpv2 snmpv3 so2 soap11 soap12 soc2 ss7 stu3 swagger2 t38 tls10 tls11
    tls12 tls13 tr34 trc10 trc20 trc721 u2f uint16 uint32 uint64 uint8 utf16 utf32 utf8 v1beta v2g
    v2x vp8 vp9 w2 w3c w8 w9 web1 web2 web3 wgs84 wpa2 wpa3 x12 x25519 x509 x86 xero2 xxh32 xxh64
"""
NUMBERED: Final = frozenset(_NUMBERED_TEXT.split())
"""What is called by letters and digits: standards, formats, and words that are shortened with a digit."""

_IDENTIFIER_WORDS_TEXT: Final = """
    aa aab aac aad aadhaar aae aba abandoned abandonment abbr abbreviation abilities ability abn
    abnormal above abs absence absent absolute abstract ac acc accelerated acceleration accent
    acceptable acceptance acceptances accepting acceptor accepts accessed accession accessories
    accident accounted accountid accounting accrual accrued acct accumulated accuracy accurate acd
    ach acid acked acknowledged acknowledgement acknowledgements acknowledgment acquired acquirer
    acquiring acquisition acr acronym across acs act acted activated actual added addendum adding
    addition additions addr addrs adds addtaskcollection adj adjacent adjusted adm administered
    administration administrations administrative administrators admission adobe adult adults
    advertise advertising advisor advisors advisory ae af aff affiliate affiliated affiliates
    affiliation affiliations affinity aftermarket again against aged agenda agg aggs aging ago agree
    agreed agreements air aircraft airline airlines airport alarms album alcohol alg algo align
    alignment alive allele alleles allergen allergens allergies alliance alliances allocatable
    allocated allowable allowance allows alphabet alphanumeric already also alt altered alternates
    alternative alternatives altitude always am amazon ambient amd amended amendment amendments
    amenities american amp amt amz an analog analyse analyst analytic ancestor ancestors anchors
    ancillary angle animation announcement annual annuity anonymized another answered answering anti
    any anything ap apache apex apikey apn appearance appearances appkey appliances applicability
    applicable applicant applicationrole applies appointed appointment appointments approach
    approver approximate apr aps apt aq aqua ar arabic arc arch architectures archival are area
    areas arg args argument arguments armored arn arp arranged arrangement arrangements array arrays
    arrival arrivals art artist artwork asana asc ascending ascii asin ask asm asn aspects aspsps
    assay assemblies assembly assessed assistance assists assumed assumptions ast asteroid
    asynchronous asynchronously at atl atm atms atom atoz attachable attempted attended attendee
    attested attorney attr attributions attrs au aud audiobook auditing auditlogs audits authentic
    authenticated authenticity author authored authorisation authorise authorised authoritative
    autocompletedata automount autoplay autoscaler aux auxiliary av avail ave average averages avoid
    avs await awaiting award awarded awards axes axis azimuth ba back backgrounds backoff backorders
    bacs bad badge badges bag baggage balancing ban band bands banking bankruptcy banned bar barrier
    bars basis basket baskets bastion bathrooms battery bay bays bbox bc bca bcc be beach beacon
    beacons beam bearer bearing beat bed bedrooms beds bee been beep beginning begins behalf belongs
    below bench benchmark beneficial beneficiaries beneficiary benefit benefits best bet betas bets
    better betting between bfd bg bias bib bic bicycle bidder bike bikes billed billings bills bing
    bio biography bios birth bit biz black blacklisted blackout blank blanked blend blind blocker
    blockers blood bluetooth blur boarding bodies body bold bond bonus bonuses bookable booked
    bookmarked bool boolean boost border borders born borrowing bottom bought boulder bounce bounced
    bound bounding bounds box boxes bpm bps br branded breach breadcrumbs breaker breakers breaking
    breakout breaks brief brightness broadcast brochure broken bs bsb bssid bt btc btn bubble
    budgeted buffering bug bugs bugzilla builtin bullet burn burst bus but button buttons buyer
    buying byline bypassed bys byte caa cabin cable cables cad cadence cak cal calc calculator
    called callee callout calories camera cameras campfire can cancelation canceldelete cancellable
    cancellations cancelled cancels candidate canonical capable capacities capital capitalization
    capped caption captured car carbohydrate cardholder care cargo carlo carrier cars cas cascade
    cashback cast cat catalogue catchall categorical cause causes cb cc cca ccc ccd cd cdc cdm cdr
    ce ceiling celebrity cell cellular census central centroid cents certification certified certify
    cf chain chamber chance changeable changed changeset chaos chap chapter chapters char
    characteristics charged charging chars charset chart chassis chatbot chatter checkbox checked
    checker checking checklist checklists checksum cheque chf chinese chip choice choices
    cholesterol choose chosen chromecast chromosome chunk ci cid cidrs cipher ciphers ciphertext
    circle circuit circuits cis cisco citation citations civil ckn clarification classic classified
    classifier classifiers classroom claude clause clauses cleaned cleared clearing cli clickatell
    clicked clickwraps clientid climb clinical clipboard clips clock cloned closes closing closure
    clothing cls club clustering clutter cm cmd cms cn cnam cname cns cnt co coach coaches cod codec
    codecs codename coefficients cohorts col collaborator collapsed collapsible collation collected
    collective collector college comanaged combination combinations coming comm commendations
    commentary commented commenter commercial commission commissionable commissions commitish
    committed committee committees committer commodity comms communities comp companyinformation
    comparable comparator comparison compensation competition competitions competitor compiler
    complaint complaints complement complexity compliant composer composites compound comprehensive
    compressed compression computer con concat concatenate concepts concerns concession concierge
    concluded conclusion concurrent condition conditional conf confidence confidential
    confidentiality confirmations confirmed conformance conn connecting consecutive consented
    consider consistent consolidate consolidation constant constituency constraint construction
    consultation consumption contacted contactless contain contained containing contest contextual
    continent continents continuation continue contracting contractor contractual contrast
    contributing contribution contributions controlled controlling conv convenience convention
    convergence converted converter cool cooldown cooling coord coordinate coordinates coordinator
    coords copied copper copyright copyrights corner corners corporate corporation corporations
    corpus corrected corrective correlated correspondence corridor cosine countdown counter
    counterparty counters counties counting countrycode county courier court cover coverages covered
    covers cp cpe cpus cr crashed crashes crawler crawls crc createdraft createmeta creating
    creators credited creditmemo creditmemos creditor creditors crew crimes criminal critic
    criticality critics crl crm cron crop cropped cropping crossing crowding crs crv cryptography cs
    csc csid csr css ct cta ctrl cue cuisine cuisines culture cultures cum cur curbside curr curve
    cusip custodian customfields customs cut cutoff cv cvc cve cvs cvss cvv cw cwa cwe da daemon dag
    dags damage dark datacenters datadog datafeed datas datasource datatype datetime datum dav dba
    dbs dc dcim dd dda ddos de deactivated deactivation dead dealer dealers deallocation death
    deaths debtor debugging dec decay decimal decimals decision declarations declared declination
    declined decoded decoder decrease decrypted decryption deducted deduction deductions dedup
    deduplication deep deeplink def defender deferral deferred deg degraded degree degrees del delay
    deletable deleted deletes delimiter deliverable delivered deltas demo demographic demographics
    den denial denominator density denylist dep depart departure departures depends deployable
    deposited depository deprecated deprecation depreciation dept depth derivation derived des desc
    descendants descending described descriptive designation designator designer desired desk
    desktop destroyed detected determination deviation devicetype dex df dfe dfs dget dh diagnosis
    dialect diameter dice dict dietary differences different differential difficulty diffie digit
    digital digits dim dimensional dine dir directdebit directional directives director directors
    dirty disability disableautoscale disabled disablescheduling disallowed disambiguation disaster
    disbursement disc discharge disclaimer disconnected discord discounted discretionary
    discriminator discussion discussions disease dishes dislike dismissal dismissible disp
    dispatched dispatcher displayable displayed disposable disposition dispositions disputed
    disrupted disruption disruptions dist distances distinct distinguished distributed distributor
    district districts distro div diversification diversity dividend dividends division divisor dl
    dlr dm dma dml dn dnd dnis dob doc docid dock dockerfile dockerfiles docket docking docks
    doctors doctype does doi doing dollar dollars dom domainname domestic dominant donate donation
    donations done dont door doors dose dot dots double downlink downloadable downloaded downloading
    downstream dp dpi dps dq dr drain draining drains draw drawdown drawdowns drawing drawn drift
    driven driver drivers driving drm drone dropdown drops drug ds dsa dscp dsn dst dt dtc dtmf dto
    dual duedate dummy duplex duplicated duplicates durations during duty dvd ea each ean eap
    earlier earliest earned earning earnings east easting easy eb ebay ecm eco ecomm ecommerce
    economy ecosystem ecs ecu ed edi editable edited editing editions editmeta editor editorial
    editors education educational ee ef eff effect efficiency effort egress ein ejection elapsed
    election electricity electronic element elementary elements elevate elevation emailed embargo
    embeddable emblem emission emitted emotion emotions employer employers employment employments
    empty emulation emv en enableautoscale enablescheduling enc encoding encryptions enddate ended
    ending ends endtime enemies energy engaged engagement english enhance enqueued enriched enrol
    ensembl entered entertainment entire entitled entropy enumeration enums env envoy eo episode
    epoch eps eq equal equals equip equipment equipments equity equivalent erase erc erp err errored
    es escalated escape escaped escrow esim essential established establishment estate etag etags
    etc eth ethereum ethernet ethnicity etymologies eu eur ev eval evaluateautoscale evaluated
    evaluator even evening every everyone evidences ex exact exam exceed exceeded excel except
    exception excerpt excess excl excluded excludes excluding exclusive executed executing executive
    exempt exempted exif existence existing exp expected expenditures experience experimental
    expirations expired expires explicit exploit exploitability exploration explore exponent
    exponential exportable exported exporter exporting expose exposed expr ext exterior extractions
    extractor extracts extras eye fa fabric face facebook faces facetable faceting facial
    facilitator facilities facility facing fact faction factions factories factory facts fade
    failing fair fake fantasy faq faqs far fare fares farm fastest fat faults favorited favourite
    favourited favourites fax faxes fb fc fcc fcd fcm fd fe fear fec fed federal fee feedbacks
    female fence fetcher ff fh fi fiber filed filename filepath filer fileset filesize filing filled
    filler filling filterable fin final finance financials finger fingerprint finished fips fire
    fired firehose firm firstname fiscal fit fitting five fixed fl flagged flash flask flat flatten
    flattened flavor flavors flexible flickr flip float floating floor floorplan flowdock flux fly
    fmt fn focal focus followings follows font fonts food footnote forbidden forced foreground
    foreign forename forgotten formal formatted formatting formula formulas forum forwarded
    forwarders forwards found founded four fourth fpga fps fq fqdn fqdns fr frac fraction fractional
    framerate franchises frd freeform freight french freq frequencies frequent fresh freshness fri
    friday friend fromdate front frozen fs ft ftp fuel fulfilled fulfillments fullname fulltext
    fully funcs functionalities funded funds further fuzzy fw fx ga gadget gadgets gain gained
    galleries gamma ganalytics gap garage gas gate gather gauge gbp gbps gc gcm gcr ge gear genders
    general generalize generalized generator genes genome genres genuine geographic geographies
    geography geojson geom geometries geometry geoname getall getuser ghz gi gid gif gifs giftcard
    gigabytes gitignores gitlab given gl gmt go gold golden good goods gop gov government gp gpg gps
    gpu gpus gpx grade gradient gradle grafana gram grammatical grams grand granularity graphic
    graphics gravatar gravity greater gridlines grocery gross ground grouped groupid groupings
    groupuserpicker growth gs gsm gt gte gtfs gtin guarantee guard guarded guess guests gui guidance
    guided guids gust gw gym gz gzip ha had hair half hand handle handled handler handlers handling
    handover handshake hard harness has hashed hashing hashtag hashtags hat hatch have hazardous hd
    hdfs hdmi hdr heading headings headline headquarters healthcare healths healthy heap hearing
    heart heartbeats heat heating heavy hellman helper hero heroku hex hi hierarchical higher
    highest highlight highlighted highlights hint hints hipchat hire hiring hispanic historic hive
    hl hlr hls hoc holder holders holding holdings hole hometown homogeneous hop hops horizon
    horizontal hosting hotspot house household households housekeeping housing hover how hp hpo hq
    hr href hreflang hrs hsm humidity hunk hw hydro hyper hyperlink hypervisor hz iana iat iata iban
    ic icao iccid icd ice icmp ico icons ics ideal idempotency ident identified identify idfa idle
    idv idx ie if iframe illness im imd imdb imei img immediate immediately impacted impacting
    implementation implicit implied importance important importer imprint improve ims imsi imu
    inactivity inboxes inc incl included includes including inclusion inclusions inclusive incomes
    incompatible incomplete inconsistent incorporation incremental ind indent independent indexer
    indian indication indirect individual individuals infer infinite inflections informal
    informations infra ingredient ingredients inherited inherits initialization initiated initiation
    initiator injection ink inlinecount inner ins insecure insensitive inserted inside inspector
    instagram installing installment installments instalment instead institution institutions
    instructed instruction insufficient insurance insurances insured int integer integrator
    intelligence intended intensity inter interchange interest interference interior interlace
    intermediary interpolate interpolation intersection interval intervals intervention
    interventions into intra intro introduction intrusion intune inv invalid inverse invert inverted
    investment investor invisible invited invitee inviter invoiceable invoiced invoicing invoked
    involved iops iot ipa ipaddress ipc ipsum ipv isbn iscsi isin islander iso isp isrc iss issn
    issued issuesecurityschemes issuetype it italic itemized iteration iterator itinerary itunes iv
    japanese jar java jit jitter jmx jobid jobschedules joined joining joins joint jpeg jpg jql js
    jti jumps juniper jurisdiction just justification kanji kb keep keepalive kerberos kernel
    keyboard keycloak keyid keypair keyspace keyspaces keystore kg kid kids killed kills kilobytes
    kilometers kiosk kit kitchen km kpi kty kubelet kv kw kyc labeled labeler lacp lag lan land
    landmark landmarks landsat landscape largest lastname lat late latencies later latin latitude
    latlong launcher law lb lcm ld ldaps le leader leaderboard leaders leaf league leagues learn
    learned leaving led left leg legend legs lei lemma len lender lending length less letter letters
    lexeme lexemes lexical lfs liabilities liability licence licences licensed licensee licensees
    lifestyle lifetimejobstats lifetimepoolstats light likely limitations limited lineups linkage
    linkedin linking liquidation listed listener literal lived liveness lm lng lo loa loaded loading
    lob lobby loc locality localizable localization localizations localized locator locators locker
    locking lodging logged logic logon lon longest longitude look lookback looking lookups loop
    losses lost lot lots loudness low lower lowercase lowest ls lsn lt lte lu luminance lun lunch
    lyrics macro macros macs made maestro magnet magnetic magnitude mailbox mailboxes mailer mailing
    mails maintainer maker male man managing mandate mandatory manually manufacture manufacturer
    manufacturers manufacturing many margin marginal margins marital marked markers marketdata
    marketplaces markup markups mart mask masked masks mass mastercard masters mastodon mat matched
    matcher matchmaking math mattermost maturity mau maximum maxresults maybe mb mbid mbps mc mcc md
    mdm mdn mdr meal mean meaning means measured measurements measures mechanism med medal medals
    median medias medicare medium mediums mega megabytes mem memo memos mention mentioned menus
    mergeable mergeto mesh messenger met metadatas metering metro mgmt mgr mhz mi mib mic micro
    microphone microsoft mid middle middlename midnight migrated mile mileage miles milestone milli
    millis milliseconds mime mimetype min minimal minimized minimum mining minister mins minus
    minutes mirrors misc miscellaneous mismatch miss missed misses mission missions mitre mix mixed
    mixin mm mms mnc mobility mocks mod modal modality moderated moderator modern modifiable
    modification modified modifying mon monday monetary mongo mongodb mono monte mood moon more
    morning most mot motd mother motion mounting mounts moved movement movie movies moving mp mpaa
    mpeg mpn mpns mqtt msa msec msg msi msisdn msrp mssql mt mtime mtu multiline multimedia
    multiplier municipality must mutability mutations muted mutual mux mx mypermissions
    mypreferences myself na naics naming nano napalm narrative nas nationality natural nature nav
    navigation navigator nb nbf nbr nc ncbi ne near needed needs neg negate negated negatives
    negotiable negotiated neighbor neighborhood neo nested nesting net netmask networth neutral
    never newer newest newsletter newsletters nf nfc nic nickname nid nif night nights nine nocache
    nodecounts noise nok nominal non noncompliant none noon norm normal normalize normalized north
    northing notices notificationscheme notified notifier notifying notional nr ns nsd nsx ntlm ntp
    null nullable nulls num numerator numeric numerical numerics nutrients nutrition oath obfuscated
    obj objective observed obsolete obstacles occasion occupancy occupation occupied occurred ocd
    ocean ocp ocr oct odd odds odometer oem off offense offensive offered officer official offset
    offsets og oid old older oldest omit onboard onboarded once ongoing only ontology op opacity
    opaque opened opening opens operand opinions opponent opponents opportunities opportunity
    opposing opposition ops opted optical optin option optional optout opts opus oracle orange orbit
    orc orchestration orcid orderable orderby ordered ordinal orga organic organism organizer
    organizers orientation orientations orig originally originating originator orphan others ou our
    outage outcome outdated outer outlet outlets outlier outline outlook outstanding overage
    overdraft overdue overflow overhead overlapping overlay overload overridden overtime overwrite
    owed owl owning ozone pa pac pace packaged packed packmgr pad padding paged pager pagesize
    paginated pagination paging paint pairing pairwise pal palette pam pan panel panelists panels
    panorama paper par paragraph paragraphs parallel parallelism parental parity park parking parks
    parsed parser parsing partial partially participated parties partitioned partitioning
    partnership passcode passed passenger passing passive passphrase passport passthrough passwd
    passwordless paste patchable patched patches pathway pathways paused payable payables payee
    payees payer paying paymentmethod payoff paypal payroll payrolls pays payslip payslips pb pbf pc
    pca pci pct pd pdb pe peak pem penalty pension pensions pep peppol percentages percentile
    perception perfect performed performer periodic periodicity peripherals perm permissionscheme
    persist persisted persistence personality personalized personally personas pets pfs pfx pg
    pharmacy phase phased phenotype phenotypes phi phonetic php phrases pi pic picked picklist picks
    pictures pid pids pie piece pig pii pilot pinpoint pip pirate pitch pixel pk pkcs pkg pl placed
    placeholder placeholders plain plaintext planned planner plate plays plot plug plugged plural
    plus pm pmt pn png po podcast poi pointer pointers pois pol polar polarity political polling
    polls poly polygon polyline poolusagemetrics pop popularity population ported portion portrait
    pos pose positioning positives posix possible possibly postalcode postcodes posted poster
    posters postfix postgre postgresql posting postponement potassium potential potentially power
    poweroff powers practice practices preamble precedence precipitation precise precision pred
    predecessor predecessors predicate predicted predictive predictor preempted preemption pref
    prefecture prefer preflight preload prem premier premise premises preorder prep prepaid
    preparation prepared prepay prepayments preprocessing prerelease prerequisite prerequisites
    preroll presences presentation preserve preset presign pressure pretax pretty prev prevent
    previously pricelist pricings primaries prime printed printing prior privatekey prn pro
    proactive prob probabilistic probabilities probability probing problem problems proc procedure
    procedures proceeding proceeds produced production profanity profession professional proficiency
    profit proforma programmatic programme programmes progression projection projections
    projectvalidate promo promoted promoters promotional pronouns pronunciations proofs prop
    propagate propagated proper proposed proprietary props prorated proration prospect prot protect
    protections protective protein proto prov province provinces proximity ps psc psd pseudo psk
    pstn pt ptr pts pub publicity publicly pulse pump punctuation purchasing purposes pushdown
    pushed pusher pushover pv pw pwd px qna qos qrcode qty qualification qualifications qualified
    qualifier qualifiers qualifying qualities quantities quantity quarantine quarter quartile
    quartiles queried queryable querybuilder questionnaire queueing quiet quorum quotation quoted
    rac race races racks racy rad radians radio radios radius radix raid rail raised ram randomize
    ranked ranks rapidapi rarity rated ratio rationale ratios rc rd rdf rdp rds re reachability
    reachable reached react readability readable reading readonly realized rear reassigned rebalance
    rebate rebooting rec receivable receivables receiver receivers receives receiving recency
    reception recharge recognition recognized recognizer reconciled reconciliation reconnect
    recorded recorder recorders recovered rectangle recurrence recurrences recurring recurse red
    redacted redeemed redelivery redemption redemptions redeploy redirection redis reduced reducer
    reduction redundancy redundant referenced referencing referer referred referrer refill
    refinement refreshed refundable refunded refused reg regen regex regexp registrant registrants
    regulated regulation reimbursement reimbursements reinstate reissue rejected rejection rejects
    rel relative released relevance reliable relic religion remainder remarks remittance remotelink
    remoteloginsettings removed removenodes renamed renderer renders renditions renewed rent rental
    rentals rented rep repayment repayments repeated repeats repetitions replaced replacement
    replacements replicated replicating replied reported reporter reposts representation
    representations representative reprocessing reputations req requestor requires requisition
    requisitions reranking reroute res rescheduled rescue resetpassword residence residency resident
    residential resistance resized resolutions resolving resourcegroups resp respect responded
    respondent responsibilities responsibility responsible restaurant restaurants restorable
    restored resubscribe resumable resumed ret retain retirement retried retries retrievable
    retryable returned returning rev revenue reversed reviewable reviewer revised revoked rewrites
    rf rgb ri rich rid rides right rights ring ringing rirs rise risky rma road roaming robot rocket
    roi rolled rolling rollover roof rookie roots ror roster rosters rotated rotten round rounding
    rounds routable routed routine rp rpo rpt rs rsa rss rssi rt rtc rtmp rtp ruleset runbook
    russian rw rx salaries salary salesperson salt salutation same sampled samsung sanitized sap sat
    satisfaction satisfied saturated saturation saturday saving sb sc sca scalable scaled scaler
    scene sched scheduler schedulers scheme schemes school schools scm scoreboard scored scratch
    screening screens scrobble scroll scrub sd sdd se searchable searched seasonal seasons seat
    seating seatmaps sec seconds secs sector sectors secured securities securitylevel segmentation
    selectable selection selector selectors selfie selfservice sell sellable seller sellers selling
    semi senate sends senses sentence sentiments sentry seo sep sepa separate separately separator
    separators seq serialization serialize serialized serie serp served serves servicer servings
    sessionid setpassword settable settle settled settlement settlements seven several severe
    severities sex sf sftp shallow shape shard shards shareholder shareholders sheet shipped ships
    shopper shopping shortcode shorten shortener shortname shot shots should showing shown shut
    shutting sic sid side sidebar sids sig sight signer signers significance significant signoff
    silence silent similar similarity similars simplified simulated simulcast since singular siret
    sitemap situation six sizing skew skewness skin skipped skipping skype sl sla slash slice slide
    slides sln slug sm small smb sme smooth smoothing snapped snow sns so soa socket sockets sodium
    sofort soft softwares solar sold sole solid solo song songs soon sop sortable sortcode sorted
    sorting sorts sos south sp spa spacing span sparse spatial spdx speak speakers specialization
    specialty species specific specification specifications specified spell spellcheck spelling
    spells spent sphere spin splunk spoken sponsor sponsored sponsors sponsorship sport sports spot
    spotify spread sq sqs square squares squash src srs srv ss ssdp ssid ssids ssm ssn st stability
    stabilization stable stacked stacktrace staff stairs stamp standalone standardize standby
    standing standings startdate started starting starts starttime startup stateful station stations
    statistical statuscategory statutory stay std stddev stderr stdin stdout stereo sticker stickers
    stickiness sticky still stolen stopped stopresize stops stopwords storm stp str strain strains
    strategy street streets strength strengths strict strike strikethrough strings stripped
    structured studios su subaccount subcategories subcategory subclass subdivision subjectivity
    sublocality submitter subnet subregion subresource subs subset subsets subsites substance
    substances substitution substitutions substring subsystem subtask subtasksinfo subtitle
    subtitles subtotal subtotals subtree subtypes suburb subusers successes successful successfully
    successor suffix suffixes sugar suggester suggesters sum summarization summarized sun sunday
    sunrise sunset superfund superseded supervisor supplement supplementary supplied supplier supply
    supports suppress suppressed surcharge surge surname surrogate surround suspension sv svc svg
    svm svn sw swagger sweep sweeps swift swipe switches symbol symbolic symlink symptoms synced
    synchronous syncing syndication synopses synopsis sys sysctls syslog tab tagged tagger tagline
    taints taken talent talk tap tape tariff taskcounts taste taxable taxation taxed taxi taxon
    taxonomic taxonomy taxpayer tba tc tde teacher teammembers teaser tech technical technique
    techniques technology tel telecom telegram telephone telephony telnet telnyx telstra temperature
    templated tempo temporal ten tender tenders tensor terminated terminating terminations
    terminology terrain territories territory tertiary tested textual texture tfa tfs tgt th than
    thanks the thesaurus thickness thirty threaded thresholded throttled through throw thru thu
    thumb thumbprint thumbprints thumbs thursday ti tick ticker ticketing ticks tid ties till tilt
    timecode timed timeentries timeframe timers timesheets timespan timestamps timetable timezones
    timings tin tip tipping tips titles tl tld tm tmdb tmp toast todate todo toid tokenid
    tokenization tokenize tokenizer tolerance too took toolbar toolset tooltip torrent tos
    tournament tournaments tower town tp tpm tr tracked tracker trader trading trail trailer
    trailers trailing trails trainer trainers trainings trans transact transactionid transcoding
    transferability transferred transformation transformer transforms transient transitions
    translated translator transmission transmit transmitted transparency transparent transportation
    trap trashed traversal treatment triangle tries triggering triple trivia troubleshooting truck
    true truncated truncation trunk trusts truststore truth ts ttl tts tty tube tue tuesday tumblr
    turnover tutorial tv tvdb tweet twitch twitter two tx txid txn txs txt typ typeid tz ua ubo ucs
    udf udid udp uefi ui uid uids uint uk ulimits ultimate ultra un unanswered unapplied unapply
    unassigned unauthenticated unauthorized unavailability unavailable unbounded uncategorized
    uncertain uncertainty unchanged uncommitted uncompressed unconfirmed undefined under underline
    unexpected unfiltered unflag unhealthy unhold uni unicast unicode unified uniform uninstalled
    union unique uniqueness uniques universe unix unknown unlimited unlocked unmanaged unmapped
    unmasked unmatched unmodified unpack unpause unprocessed unprotect unprotected unpublished
    unreachable unrealized unrecognized unresolved unrestricted unsafe unsecured unseen unspecified
    unstructured unsubscribed unsubscribes unsuccessful until untrusted unused unverified unwanted
    uom upc upcoming updatable updateproperties updater updatestatus upgradable upgraded uplink
    uplinks uploaded uploader upn upon upper uppercase ups upscale upvotes ur urn us usa usability
    usb usd used userid usernames uses using usm utc utf util utility utilized utm utxo uuids uv
    vaccine vacm val validated validating validator validity valuation vanity variance vars vc vcpu
    vcpus vcs vegan vegetarian velocity ver verb verbose verbosity verbs verifier versioned vertices
    very veteran via viber vibrate vid vies viewable viewers viewing viewissue vin violated
    violating violence vip virtualization virtualmachine virus visa visible visited visual
    visualization visualize vitals vitamin vlan vlans vnet vocabularies vod voicemail voided
    volatility voltage voted voter voters voting voucher vout vp vpns vr vrf vrfs vs vsphere vulgar
    wa waiver walk wall wallpaper wan ward warehouses warn warranty wars was watched watcher
    watchlist watchlists wav way waypoint weak weapon weapons webinar webinars webp website websites
    websocket wed wednesday weekday weekdays weekend weeks weighted weighting wells west what whats
    wheelchair when whisper white whitelabel whitelisted whitelisting whitespace who whole why wi
    wide width wifi wikipedia wikis wild wildcard will win wind wine wings winner wins wired
    wishlist withdrawal withdrawals withdrawn withholding within witness wizard wkhtmltopdf wlan wms
    wo won word workbook workbooks workdays worked workflowscheme workgroup workgroups working
    worklog works worksheet worktypes world worth wrapper writable writer writers writes written ws
    wsdl www wx xamarin xcode xgafv xid xls xor xref xrefs xss xx yahoo yara yarn yaw years yellow
    yield ymax ymin you yr ytd zap zendesk zero zfs zipcode zipcodes zipped zoom
"""
IDENTIFIER_WORDS: Final = frozenset(_IDENTIFIER_WORDS_TEXT.split())
"""Further words in the names of operations, parameters and fields of several public APIs."""

WORDS: Final = SUBRESOURCES | GENERAL_WORDS | DOCUMENTED_WORDS | IDENTIFIER_WORDS
"""Words that stay."""
