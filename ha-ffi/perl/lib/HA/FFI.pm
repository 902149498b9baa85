package HA::FFI;

# Calls into libha: how arguments go in, answers come out, and errors become exceptions. Nothing here is for users.

use v5.26;
use warnings;
use Carp ();
use Config;
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(scalar_to_buffer buffer_to_scalar);

use constant ABI_VERSION => 2;

our $PTR = $Config{ptrsize} == 8 ? 'Q' : 'L';

our $ffi = FFI::Platypus->new(api => 2);

sub _library {
    return $ENV{HA_LIBRARY} if $ENV{HA_LIBRARY};
    require FFI::CheckLib;
    my ($found) = FFI::CheckLib::find_lib(lib => 'ha');
    return $found // 'libha.so.1';
}

$ffi->lib(_library());

# The arguments of each function, one letter for each:
#   h handle   s text in   l list of texts in   p pointer   i/u 32 bit   q/Q 64 bit   z size   d number
#   H handle out   T owned text out   S lent text out   I/U/Q/L/Z/D numbers out   R(n) struct out
# After a "|" is what is written by the function. The error is always last, but for those marked with "-".
my %SIGNATURES = (
    configuration_new => '|H', configuration_copy => 'h|H', configuration_free => 'h-',
    configuration_add_service_type => 'hsi', configuration_read => 'his', configuration_read_datacenter_json => 'hs',
    configuration_problem_count => 'hi|Z', configuration_problem => 'hiz|H', configuration_write => 'hi|T',
    configuration_digest => 'hi|T', configuration_section_count => 'hi|Z', configuration_section => 'hiz|SS',
    configuration_property => 'hiss|T', configuration_json => 'hi|T', configuration_fence_report => 'hl|T',
    configuration_shadowed_groups => 'h|T', configuration_set_guest => 'hss', configuration_clear_guests => 'h',
    configuration_edit => 'hh|T',
    edit_new => 'is|H', edit_free => 'h-', edit_set => 'hss', edit_unset => 'hs', edit_rule_type => 'hs',
    edit_keep_in_rules => 'h', edit_seen => 'hs', edit_node => 'hs', edit_in_error => 'hs', edit_guest => 'hss',
    rules_new => 'hl|H', rules_free => 'h-', rules_dropped_count => 'h|Z', rules_dropped => 'hz|H', rules_json => 'h|T',
    rules_why_together => 'hss|T', rules_why_apart => 'hss|T',
    usage_new => '|H', usage_free => 'h-', usage_set_node => 'hsdQdQ', usage_set_service => 'hsdQdQ',
    situation_new => 'hhl|H', situation_free => 'h-', situation_set_usage => 'hh', situation_add_unmanaged => 'hssi',
    situation_select => 'hsipz|Z', situation_explain => 'hsi|H', situation_explain_with => 'hsis|H',
    situation_counterfactual => 'hsis|T', situation_balance => 'hhz|T', situation_findings => 'h|T',
    situation_after_failure => 'hl|H',
    explanation_free => 'h-', explanation_answer => 'h|SI', explanation_node_count => 'h|Z',
    explanation_json => 'h|T', explanation_words => 'h|T',
    recoveries_free => 'h-', recoveries_count => 'h|Z', recoveries_get => 'hzp',
    manager_status_new => '|H', manager_status_from_json => 's|H', manager_status_copy => 'h|H',
    manager_status_free => 'h-', manager_status_to_json => 'h|T', manager_status_master => 'h|SL',
    manager_status_node_count => 'h|Z', manager_status_node => 'hz|SI', manager_status_node_state => 'hs|I',
    manager_status_service_count => 'h|Z', manager_status_service => 'hzp', manager_status_find => 'hsp',
    manager_status_failed_node => 'hsz|SZ', manager_status_set_node => 'hsi', manager_status_set_service => 'hp',
    manager_status_remove_service => 'hs', command_check => 's|T',
    lrm_status_new => '|H', lrm_status_from_json => 's|H', lrm_status_copy => 'h|H', lrm_status_free => 'h-',
    lrm_status_to_json => 'h|T', lrm_status_get => 'h|IILZ', lrm_status_writer => 'h|SS', lrm_status_set_writer => 'hss', lrm_status_set => 'hiiq', lrm_status_result => 'hzp',
    lrm_status_find => 'hsp', lrm_status_add_result => 'hp',
    view_new => 'siqhh|H', view_free => 'h-', view_add_lrm => 'hsh', view_add_location => 'hss',
    view_knows_locations => 'h', view_json => 'h|T', view_lines => 'h|T',
    timings_new => 'i|H', timings_from_json => 's|H', timings_free => 'h-', timings_to_json => 'h|T',
    timings_get => 'hs|D', timings_set => 'hsd', timings_check => 'hp', timings_watchdog_timeout_left => 'hQ|U',
    event_from_json => 's|H', event_copy => 'h|H', event_free => 'h-', event_get_severity => 'h|I',
    event_text => 'hs|S', event_number => 'hs|D', event_item => 'hsz|S', event_to_json => 'h|T',
    event_sentence => 'h|T',
    host_new => 'p|H', host_free => 'h-',
    reply_error => 'hs-', reply_text => 'hs-', reply_json => 'hs-', reply_bytes => 'hs-', reply_member => 'hsi-',
    reply_manager_status => 'hh-', reply_lrm_status => 'hh-', reply_configuration => 'hh-', reply_unmanaged => 'hssi-',
    reply_usage => 'hh-', reply_job => 'hQii-', reply_exit_code => 'hii-', reply_seconds => 'hd-',
    fence_commands_count => 'h|Z', fence_commands_word => 'hzz|S', fence_commands_argument => 'hzz|S', fence_commands_input => 'hz|S',
    crm_new => 'shh|H', crm_free => 'h-', crm_tick => 'hhQq|UI', crm_request_stop => 'hh', crm_state => 'h|I',
    crm_manager_status => 'h|H',
    lrm_new => 'shh|H', lrm_set_writer => 'hss', lrm_free => 'h-', lrm_tick => 'hhQq|UI', lrm_request_stop => 'hihQq', lrm_get_state => 'h|II',
    job_new => 'p|H', job_copy => 'h|H', job_free => 'h-', job_get => 'hp', job_only_looks => 'h|I', job_run => 'hsh|I',
    job_steps_new => 'hs|H', job_steps_free => 'h-', job_steps_next => 'hp', job_steps_answer => 'hish',
    round_input_new => '|H', round_input_free => 'h-', round_input_set_member => 'hsi', round_input_set_lrm => 'hsh',
    round_input_set_configuration => 'hh', round_input_clear_unmanaged => 'h', round_input_add_unmanaged => 'hssi',
    round_input_set_usage => 'hh',
    manager_new => 'shhhsh|H', manager_free => 'h-', manager_round => 'hhhQq', manager_rehearse => 'hhilQq|T', manager_resume => 'hh',
    manager_get_status => 'h|H', manager_service_node => 'hs|SI',
    simulation_play_folder => 's|H', simulation_play_text => 'sppz|H', simulation_free => 'h-',
    simulation_failure_count => 'h|Z', simulation_failure => 'hz|H', simulation_happening_count => 'h|Z',
    simulation_happening => 'hz|USI', simulation_happening_json => 'hz|T', simulation_event => 'hz|H',
    simulation_places => 'hs|T', simulation_manager_status => 'h|H', simulation_view => 'hs|T',
    compare_versions => 'ss|I', decide_lock => 'ssiiQQQ|I', lock_answer_by_writer => 'iss|I', test_panic => 'h', error_free => 'h-', text_free => 'p-',
);

my %IN = (
    h => ['opaque'], p => ['opaque'], s => ['string', 'size_t'], l => ['opaque', 'size_t'], i => ['sint32'],
    u => ['uint32'], q => ['sint64'], Q => ['uint64'], z => ['size_t'], d => ['double'],
);
my %OUT = (
    H => 'opaque*', T => 'opaque', S => 'opaque', I => 'sint32*', U => 'uint64*', L => 'sint64*', Z => 'size_t*',
    D => 'double*',
);

# Functions that do not give a status.
$ffi->attach([ha_abi_version => 'abi_version'], [] => 'uint32');
$ffi->attach([ha_version => 'version'], [] => 'string');
$ffi->attach([ha_live_handles => 'live_handles'], [] => 'size_t');
$ffi->attach([ha_live_texts => 'live_texts'], [] => 'size_t');
$ffi->attach([ha_event_get_kind => 'event_get_kind'], ['opaque'] => 'sint32');
$ffi->attach([ha_error_status => 'error_status'], ['opaque'] => 'sint32');
$ffi->attach([ha_error_line => 'error_line'], ['opaque'] => 'size_t');
$ffi->attach(["ha_error_$_" => "error_$_"], ['opaque'] => 'string') for qw(message kind section field details);
our @WORDS = qw(node_state service_state lrm_state lrm_mode daemon_state requested_state motion preference decider
    disarm_mode severity stop_request hand lock_decision);
$ffi->attach(["ha_${_}_name" => "${_}_name"], ['sint32'] => 'string') for @WORDS;

Carp::croak(sprintf 'libha has interface %d, version %d or later is needed', abi_version(), ABI_VERSION)
    if abi_version() < ABI_VERSION;

# The numbers of words, from the words.
our %NUMBER;
for my $what (@WORDS) {
    no strict 'refs';
    my $name = \&{"${what}_name"};
    for (my $number = 1; defined(my $word = $name->($number)); $number++) {
        $NUMBER{$what}{$word} = $number;
    }
}

sub word_number {
    my ($what, $word) = @_;
    return $NUMBER{$what}{$word // ''}
        // HA::Error->throw(status => 'argument', message => "'" . ($word // 'undef') . "' is no $what");
}

# Named arguments as a hash; throws for one that is not known, so that no wish is left unheard for a letter.
sub named {
    my ($what, $known, @given) = @_;
    HA::Error->throw(status => 'argument', message => "$what: an odd number of named arguments") if @given % 2;
    my %given = @given;
    for my $name (sort keys %given) {
        next if grep { $_ eq $name } @$known;
        HA::Error->throw(status => 'argument', message => "$what has no argument '$name', only " . join ', ', @$known);
    }
    return %given;
}

sub word { my ($what, $number) = @_; no strict 'refs'; return &{"${what}_name"}($number) }

my %FUNCTIONS;

sub _function {
    my ($name) = @_;
    return $FUNCTIONS{$name} //= do {
        my $signature = $SIGNATURES{$name} // Carp::confess("no function $name");
        my $has_error = $signature !~ s/-$//;
        my ($in, $out) = split /\|/, $signature;
        my @in  = split //, $in  // '';
        my @out = split //, $out // '';
        my @types = ((map { @{$IN{$_}} } @in), (map { $OUT{$_} } @out), $has_error ? 'opaque*' : ());
        [$ffi->function("ha_$name" => \@types => 'sint32'), \@in, \@out, $has_error];
    };
}

# Bytes of a text as UTF-8.
sub utf8_bytes { my ($text) = @_; utf8::encode($text); return $text }

sub _text { my ($bytes) = @_; utf8::decode($bytes); return $bytes }

# A text that C lends: a pointer and a length.
sub lent { my ($data, $length) = @_; return $data ? _text(buffer_to_scalar($data, $length)) : undef }

# A list of texts as C takes it. What it returns has to live as long as the pointer in it is used.
sub str_list {
    my @bytes = map { utf8_bytes($_) } @_;
    my $list = join '', map { pack "$PTR$PTR", (scalar_to_buffer($_))[0], length $_ } @bytes;
    return { bytes => \@bytes, list => \$list, data => @bytes ? (scalar_to_buffer($list))[0] : undef, count => scalar @bytes };
}

sub room { my ($size) = @_; return "\0" x $size }

sub address { return (scalar_to_buffer($_[0]))[0] }

sub handle_of { my ($object) = @_; return ref $object ? $object->{handle} : $object }

# Calls a function. Gives its status (1 well, 2 none) and what it wrote; throws if it failed.
sub call {
    my ($name, @arguments) = @_;
    my ($function, $in, $out, $has_error) = @{_function($name)};
    my (@pass, @keep, @written);
    for my $letter (@$in) {
        my $argument = shift @arguments;
        if ($letter eq 's') {
            my $bytes = ref $argument eq 'SCALAR' ? $$argument : defined $argument ? utf8_bytes($argument) : undef;
            push @pass, $bytes, defined $bytes ? length $bytes : 0;
        } elsif ($letter eq 'l') {
            my $list = str_list(@{$argument // []});
            push @keep, $list;
            push @pass, $list->{data}, $list->{count};
        } elsif ($letter eq 'h') {
            push @pass, handle_of($argument);
        } else {
            push @pass, $argument;
        }
    }
    for my $letter (@$out) {
        if ($letter eq 'T' || $letter eq 'S') {
            my $room = room(2 * $Config{ptrsize});
            push @written, \$room;
            push @pass, address($room);
        } else {
            my $value = $letter eq 'H' ? undef : 0;
            push @written, \$value;
            push @pass, \$value;
        }
    }
    my $error;
    my $status = $function->call(@pass, $has_error ? \$error : ());
    _throw($status, $error, $name) if $status < 0;
    my @values;
    for my $letter (@$out) {
        my $value = shift @written;
        if ($letter eq 'T') {
            my ($data, $length) = unpack "$PTR$PTR", $$value;
            push @values, $data ? buffer_to_scalar($data, $length) : undef;
            _function('text_free')->[0]->call(address($$value)) if $data;
        } elsif ($letter eq 'S') {
            push @values, lent(unpack "$PTR$PTR", $$value);
        } else {
            push @values, $$value;
        }
    }
    return ($status, @values);
}

# What a function wrote first; undef if it says that there is none.
sub get { my ($status, @values) = call(@_); return $status == 2 ? undef : $values[0] }

# The same for a text for people or programs (not the bytes of a file).
sub get_text { my $bytes = get(@_); return defined $bytes ? _text($bytes) : undef }

sub error_from_handle {
    my ($handle) = @_;
    my $text = sub { my ($text) = @_; return defined $text && length $text ? _text($text) : undef };
    my $error = HA::Error->new(
        status  => error_status($handle),
        message => $text->(error_message($handle)) // '',
        code    => $text->(error_kind($handle)),
        line    => error_line($handle) || undef,
        section => $text->(error_section($handle)),
        field   => $text->(error_field($handle)),
        details => HA::JSON::decode_if_any(error_details($handle)),
    );
    _function('error_free')->[0]->call($handle);
    return $error;
}

sub _throw {
    my ($status, $error, $name) = @_;
    die error_from_handle($error) if $error;
    HA::Error->throw(status => $status, message => "ha_$name failed");
}

package HA::JSON;

my $class = eval { require JSON::XS; 'JSON::XS' } // do { require JSON::PP; 'JSON::PP' };
my $json  = $class->new->utf8->canonical->allow_nonref;

sub decode { return $json->decode($_[0]) }
sub encode { return $json->encode($_[0]) }
sub decode_if_any { my ($text) = @_; return defined $text && length $text ? decode($text) : undef }

package HA::Error;

use overload '""' => sub { $_[0]->message }, bool => sub { 1 }, fallback => 1;

my %STATUS = (
    -1 => 'argument', -2 => 'handle', -3 => 'busy', -4 => 'panic', -5 => 'name', -6 => 'content', -7 => 'not_found',
    -8 => 'edit', -9 => 'timings', -10 => 'read', -11 => 'state', -12 => 'limit',
);

sub new {
    my ($class, %fields) = @_;
    $fields{status} = $STATUS{$fields{status}} // $fields{status};
    return bless \%fields, $class;
}

sub throw { my $class = shift; die $class->new(@_) }

for my $field (qw(status message code line section field details)) {
    no strict 'refs';
    *$field = sub { $_[0]{$field} };
}

# As a plain hash.
sub as_hash { return { %{$_[0]} } }

package HA::Object;

# What every class with a handle has: the handle is freed with the object, unless it is lent to a callback.

sub _own { my ($class, $handle, %more) = @_; return bless { handle => $handle, %more }, $class }
sub _lent { my ($class, $handle) = @_; return bless { handle => $handle, lent => 1 }, $class }

sub CLONE_SKIP { 1 }

sub DESTROY {
    my ($self) = @_;
    return if $self->{lent} || !$self->{handle} || ${^GLOBAL_PHASE} eq 'DESTRUCT';
    local ($@, $!, $?);
    my $handle = delete $self->{handle};
    eval { HA::FFI::call($self->_kind . '_free', $handle) };
}

1;
