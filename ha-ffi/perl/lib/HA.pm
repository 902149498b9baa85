package HA;

use v5.26;
use warnings;
use Config;

our $VERSION = '0.1.0';

BEGIN { $Config{ptrsize} == 8 or die "HA needs a Perl with pointers of 64 bits\n" }

use HA::FFI;
use HA::Host;

# What a host's method returns where there certainly is none: no record was ever written, no guest is configured.
use constant NONE => 'none';

sub version { return HA::FFI::version() }

sub abi_version { return HA::FFI::abi_version() }

sub live_handles { return HA::FFI::live_handles() }

sub live_texts { return HA::FFI::live_texts() }

sub check_command { my (undef, $line) = @_; return HA::FFI::get_text(command_check => $line) }

sub compare_versions { my (undef, $one, $other) = @_; return HA::FFI::get(compare_versions => $one, $other) }

package HA::Configuration;

our @ISA = 'HA::Object';

my %FILES = (
    'resources.cfg' => 1, 'groups.cfg' => 2, 'rules.cfg' => 3, 'datacenter.cfg' => 4, 'fence.cfg' => 5,
);
my %NAMES = (any => 1, digits => 2);

sub _kind { 'configuration' }

sub _file {
    my ($name) = @_;
    return $FILES{$name} // HA::Error->throw(status => 'argument', message => "'$name' is no file of the configuration");
}

sub new {
    my ($class, %given) = @_;
    my $self  = $class->_own(HA::FFI::get('configuration_new'));
    my $types = delete $given{service_types} // {};
    my $guests = delete $given{guests} // {};
    $self->add_service_type($_, $types->{$_}) for sort keys %$types;
    $self->read($_, $given{$_}) for sort keys %given;
    $self->set_guest($_, $guests->{$_}) for sort keys %$guests;
    return $self;
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(configuration_copy => $self)) }

sub add_service_type {
    my ($self, $type, $names) = @_;
    HA::FFI::call(configuration_add_service_type => $self, $type, $NAMES{$names // 'any'} // 0);
    return $self;
}

# The bytes of a file, as they were read from it.
sub read {
    my ($self, $file, $bytes) = @_;
    HA::FFI::call(configuration_read => $self, _file($file), \$bytes);
    return $self;
}

sub read_datacenter_json {
    my ($self, $json) = @_;
    HA::FFI::call(configuration_read_datacenter_json => $self, $json);
    return $self;
}

sub problems {
    my ($self, $file) = @_;
    my $number = _file($file);
    my $count  = HA::FFI::get(configuration_problem_count => $self, $number);
    return map { HA::FFI::error_from_handle(HA::FFI::get(configuration_problem => $self, $number, $_)) } 0 .. $count - 1;
}

# The bytes of a file as it is now.
sub write { my ($self, $file) = @_; return HA::FFI::get(configuration_write => $self, _file($file)) }

sub digest { my ($self, $file) = @_; return HA::FFI::get(configuration_digest => $self, _file($file)) }

sub sections {
    my ($self, $file) = @_;
    my $number = _file($file);
    my $count = HA::FFI::get(configuration_section_count => $self, $number);
    return map { my (undef, $type, $id) = HA::FFI::call(configuration_section => $self, $number, $_); [$type, $id] }
        0 .. $count - 1;
}

sub property {
    my ($self, $file, $id, $key) = @_;
    return HA::FFI::get_text(configuration_property => $self, _file($file), $id, $key);
}

sub as_hash {
    my ($self, $file) = @_;
    return HA::JSON::decode(HA::FFI::get(configuration_json => $self, _file($file)));
}

sub fence_report {
    my ($self, @nodes) = @_;
    return HA::JSON::decode_if_any(HA::FFI::get(configuration_fence_report => $self, \@nodes));
}

sub shadowed_groups { my ($self) = @_; return @{HA::JSON::decode(HA::FFI::get(configuration_shadowed_groups => $self))} }

sub set_guest { my ($self, $sid, $node) = @_; HA::FFI::call(configuration_set_guest => $self, $sid, $node); return $self }

sub clear_guests { my ($self) = @_; HA::FFI::call(configuration_clear_guests => $self); return $self }

my %ACTIONS = (
    add_resource => 1, set_resource => 2, remove_resource => 3, add_group => 4, set_group => 5, remove_group => 6,
    add_rule => 7, set_rule => 8, remove_rule => 9, set_datacenter => 10,
);

# set: hash, or array of pairs to keep an order; unset, nodes, in_error: arrays; guests: number => type.
sub edit {
    my ($self, $action, $id, %with) = @_;
    my $edit = HA::Edit->_own(HA::FFI::get(edit_new => $ACTIONS{$action} // 0, $id // ''));
    my $set = $with{set} // [];
    my @set = ref $set eq 'HASH' ? map { [$_, $set->{$_}] } sort keys %$set : @$set;
    HA::FFI::call(edit_set       => $edit, @$_) for @set;
    HA::FFI::call(edit_unset     => $edit, $_) for @{$with{unset} // []};
    HA::FFI::call(edit_node      => $edit, $_) for @{$with{nodes} // []};
    HA::FFI::call(edit_in_error  => $edit, $_) for @{$with{in_error} // []};
    HA::FFI::call(edit_guest     => $edit, $_, $with{guests}{$_}) for sort keys %{$with{guests} // {}};
    HA::FFI::call(edit_rule_type => $edit, $with{rule_type}) if defined $with{rule_type};
    HA::FFI::call(edit_seen      => $edit, $with{seen}) if defined $with{seen};
    HA::FFI::call(edit_keep_in_rules => $edit) if $with{keep_in_rules};
    return HA::FFI::get_text(configuration_edit => $self, $edit);
}

package HA::Edit;

our @ISA = 'HA::Object';

sub _kind { 'edit' }

package HA::Rules;

our @ISA = 'HA::Object';

sub _kind { 'rules' }

sub new {
    my ($class, $configuration, @nodes) = @_;
    return $class->_own(HA::FFI::get(rules_new => $configuration, \@nodes));
}

sub dropped {
    my ($self) = @_;
    my $count = HA::FFI::get(rules_dropped_count => $self);
    return map { HA::FFI::error_from_handle(HA::FFI::get(rules_dropped => $self, $_)) } 0 .. $count - 1;
}

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(rules_json => $self)) }

sub why_together { my ($self, @two) = @_; return @{HA::JSON::decode(HA::FFI::get(rules_why_together => $self, @two))} }

sub why_apart { my ($self, @two) = @_; return @{HA::JSON::decode(HA::FFI::get(rules_why_apart => $self, @two))} }

package HA::Usage;

our @ISA = 'HA::Object';

sub _kind { 'usage' }

sub _of {
    my ($class, $usage) = @_;
    my $self = $class->_own(HA::FFI::get('usage_new'));
    for my $what (qw(node service)) {
        my $given = $usage->{"${what}s"} // {};
        for my $name (sort keys %$given) {
            HA::FFI::call("usage_set_$what" => $self, $name, map { $given->{$name}{$_} // 0 } qw(max_cpu max_memory cpu memory));
        }
    }
    return $self;
}

package HA::Situation;

our @ISA = 'HA::Object';

sub _kind { 'situation' }

# members, usage, unmanaged: as hosts give them.
sub new {
    my ($class, $status, $configuration, %with) = @_;
    my $self = $class->_own(HA::FFI::get(situation_new => $status, $configuration, $with{members} // []));
    HA::FFI::call(situation_set_usage => $self, HA::Usage->_of($with{usage})) if $with{usage};
    HA::FFI::call(situation_add_unmanaged => $self, @$_{qw(sid node)}, $_->{running} ? 1 : 0)
        for @{$with{unmanaged} // []};
    return $self;
}

sub _preference { return HA::FFI::word_number(preference => $_[0] // 'none') }

sub select {
    my ($self, $sid, $preference) = @_;
    my $room = HA::FFI::room(256);
    my $length = HA::FFI::get(situation_select => $self, $sid, _preference($preference), HA::FFI::address($room), 256);
    return $length ? substr $room, 0, $length : undef;
}

sub _explained {
    my ($handle) = @_;
    my $explanation = HA::Explanation->_own($handle);
    my $hash = HA::JSON::decode(HA::FFI::get(explanation_json => $explanation));
    $hash->{text} = HA::FFI::get_text(explanation_words => $explanation);
    return $hash;
}

sub explain {
    my ($self, $sid, $preference, $changes) = @_;
    return _explained(HA::FFI::get(situation_explain => $self, $sid, _preference($preference))) unless $changes;
    my $json = HA::JSON::encode($changes);
    return _explained(HA::FFI::get(situation_explain_with => $self, $sid, _preference($preference), \$json));
}

sub counterfactual {
    my ($self, $sid, $preference, $node) = @_;
    return HA::JSON::decode(HA::FFI::get(situation_counterfactual => $self, $sid, _preference($preference), $node));
}

sub balance {
    my ($self, $count, $manager) = @_;
    return HA::JSON::decode(HA::FFI::get(situation_balance => $self, $manager, $count // 0));
}

sub after_failure {
    my ($self, @nodes) = @_;
    my $recoveries = HA::Recoveries->_own(HA::FFI::get(situation_after_failure => $self, \@nodes));
    my @found;
    for my $index (0 .. HA::FFI::get(recoveries_count => $recoveries) - 1) {
        my $room = HA::FFI::room(56);
        HA::FFI::call(recoveries_get => $recoveries, $index, HA::FFI::address($room));
        my ($sid, $sid_length, $from, $from_length, $to, $to_length, $by) = unpack 'QQQQQQl', $room;
        push @found, {
            sid => HA::FFI::lent($sid, $sid_length), from => HA::FFI::lent($from, $from_length),
            to => HA::FFI::lent($to, $to_length), decided_by => HA::FFI::word(decider => $by),
        };
    }
    return @found;
}

package HA::Explanation;

our @ISA = 'HA::Object';

sub _kind { 'explanation' }

package HA::Recoveries;

our @ISA = 'HA::Object';

sub _kind { 'recoveries' }

package HA::Record;

our @ISA = 'HA::Object';

sub new {
    my ($class, $record) = @_;
    my $kind = $class->_kind;
    return $class->_own(HA::FFI::get("${kind}_new")) unless defined $record;
    my $json = ref $record ? HA::JSON::encode($record) : HA::FFI::utf8_bytes($record);
    return $class->_own(HA::FFI::get("${kind}_from_json", \$json));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get($self->_kind . '_copy', $self)) }

sub json { my ($self) = @_; return HA::FFI::get_text($self->_kind . '_to_json', $self) }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get($self->_kind . '_to_json', $self)) }

package HA::ManagerStatus;

our @ISA = 'HA::Record';

sub _kind { 'manager_status' }

sub master { my ($self) = @_; return HA::FFI::get(manager_status_master => $self) }

sub nodes {
    my ($self) = @_;
    my %nodes;
    for my $index (0 .. HA::FFI::get(manager_status_node_count => $self) - 1) {
        my (undef, $node, $state) = HA::FFI::call(manager_status_node => $self, $index);
        $nodes{$node} = HA::FFI::word(node_state => $state);
    }
    return \%nodes;
}

sub node_state {
    my ($self, $node) = @_;
    return HA::FFI::word(node_state => HA::FFI::get(manager_status_node_state => $self, $node));
}

sub set_node {
    my ($self, $node, $state) = @_;
    HA::FFI::call(manager_status_set_node => $self, $node, defined $state ? HA::FFI::word_number(node_state => $state) : 0);
    return $self;
}

sub _service {
    my ($room) = @_;
    my @fields = unpack 'Q10llq', $room;
    my %service;
    for my $field (qw(sid node target uid maintenance_node)) {
        my $text = HA::FFI::lent(splice @fields, 0, 2);
        $service{$field} = $text if defined $text;
    }
    my ($state, $running, $timeout) = @fields;
    $service{state}   = HA::FFI::word(service_state => $state);
    $service{running} = 1 if $running;
    $service{timeout} = $timeout if $timeout >= 0;
    return \%service;
}

sub services {
    my ($self) = @_;
    my @services;
    for my $index (0 .. HA::FFI::get(manager_status_service_count => $self) - 1) {
        my $room = HA::FFI::room(96);
        HA::FFI::call(manager_status_service => $self, $index, HA::FFI::address($room));
        push @services, _service($room);
    }
    return @services;
}

sub service {
    my ($self, $sid) = @_;
    my $room = HA::FFI::room(96);
    my ($status) = HA::FFI::call(manager_status_find => $self, $sid, HA::FFI::address($room));
    return $status == 2 ? undef : _service($room);
}

sub failed_nodes {
    my ($self, $sid) = @_;
    my @nodes = map { $_->{failed_nodes} // [] } $self->as_hash->{service_status}{$sid} // {};
    return map { @$_ } @nodes;
}

sub set_service {
    my ($self, %service) = @_;
    my $texts = HA::FFI::str_list(map { $_ // '' } @service{qw(sid node target uid maintenance_node)});
    my @pairs = unpack 'Q10', ${$texts->{list}};
    my @given = map { defined $_ && length $_ } @service{qw(sid node target uid maintenance_node)};
    @pairs[2 * $_, 2 * $_ + 1] = (0, 0) for grep { !$given[$_] } 0 .. 4;
    my $packed = pack 'Q10llq', @pairs, HA::FFI::word_number(service_state => $service{state}),
        $service{running} ? 1 : 0, $service{timeout} // -1;
    HA::FFI::call(manager_status_set_service => $self, HA::FFI::address($packed));
    return $self;
}

sub remove_service { my ($self, $sid) = @_; return (HA::FFI::call(manager_status_remove_service => $self, $sid))[0] == 1 }

package HA::LrmStatus;

our @ISA = 'HA::Record';

sub _kind { 'lrm_status' }

sub _get { my ($self) = @_; my (undef, @fields) = HA::FFI::call(lrm_status_get => $self); return @fields }

sub state { my ($self) = @_; return HA::FFI::word(lrm_state => ($self->_get)[0]) }

sub mode { my ($self) = @_; return HA::FFI::word(lrm_mode => ($self->_get)[1]) }

sub timestamp { my ($self) = @_; return ($self->_get)[2] }

sub set {
    my ($self, %fields) = @_;
    HA::FFI::call(lrm_status_set => $self, HA::FFI::word_number(lrm_state => $fields{state} // $self->state),
        HA::FFI::word_number(lrm_mode => $fields{mode} // $self->mode), $fields{timestamp} // $self->timestamp);
    return $self;
}

sub _result {
    my ($room) = @_;
    my @fields = unpack 'Q6l', $room;
    my %result = map { $_ => HA::FFI::lent(splice @fields, 0, 2) } qw(uid sid state);
    return { %result, exit_code => $fields[0] };
}

sub results {
    my ($self) = @_;
    my @results;
    for my $index (0 .. ($self->_get)[3] - 1) {
        my $room = HA::FFI::room(56);
        HA::FFI::call(lrm_status_result => $self, $index, HA::FFI::address($room));
        push @results, _result($room);
    }
    return @results;
}

sub result {
    my ($self, $uid) = @_;
    my $room = HA::FFI::room(56);
    my ($status) = HA::FFI::call(lrm_status_find => $self, $uid, HA::FFI::address($room));
    return $status == 2 ? undef : _result($room);
}

sub add_result {
    my ($self, %result) = @_;
    my $texts = HA::FFI::str_list(@result{qw(uid sid state)});
    my $packed = ${$texts->{list}} . pack 'lx4', $result{exit_code};
    HA::FFI::call(lrm_status_add_result => $self, HA::FFI::address($packed));
    return $self;
}

package HA::View;

our @ISA = 'HA::Object';

sub _kind { 'view' }

# own_node, quorate, now, manager, configuration; lrms: node => HA::LrmStatus or undef; locations: sid => node, if known.
sub new {
    my ($class, %given) = @_;
    my $self = $class->_own(HA::FFI::get(view_new => $given{own_node}, $given{quorate} ? 1 : 0, $given{now} // time,
            $given{manager}, $given{configuration}));
    HA::FFI::call(view_add_lrm => $self, $_, $given{lrms}{$_}) for sort keys %{$given{lrms} // {}};
    if (my $locations = $given{locations}) {
        HA::FFI::call(view_knows_locations => $self);
        HA::FFI::call(view_add_location => $self, $_, $locations->{$_}) for sort keys %$locations;
    }
    return $self;
}

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(view_json => $self)) }

sub text { my ($self) = @_; return HA::FFI::get_text(view_lines => $self) }

sub lines { my ($self) = @_; return split /\n/, $self->text }

package HA::Timings;

our @ISA = 'HA::Object';

sub _kind { 'timings' }

my %PRESETS = (customary => 1, fast => 2);

# A preset, or a hash of settings.
sub new {
    my ($class, $given) = @_;
    $given //= 'customary';
    return $class->_own(HA::FFI::get(timings_new => $PRESETS{$given} // 0)) unless ref $given;
    my $json = HA::JSON::encode($given);
    return $class->_own(HA::FFI::get(timings_from_json => \$json));
}

sub get { my ($self, $setting) = @_; return HA::FFI::get(timings_get => $self, $setting) }

sub set { my ($self, $setting, $value) = @_; HA::FFI::call(timings_set => $self, $setting, $value); return $self }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(timings_to_json => $self)) }

# What follows from the timings, in nanoseconds; throws if they are not safe.
sub check {
    my ($self) = @_;
    my $room = HA::FFI::room(72);
    HA::FFI::call(timings_check => $self, HA::FFI::address($room));
    my %facts;
    @facts{qw(lock_lifetime watchdog_timeout feed_budget renewal_interval round_time waiting_loop shortest_recovery
        longest_recovery longest_recovery_with_master)} = unpack 'Q9', $room;
    return \%facts;
}

sub watchdog_timeout_left { my ($self, $since) = @_; return HA::FFI::get(timings_watchdog_timeout_left => $self, $since) }

package HA::Event;

our @ISA = 'HA::Object';

sub _kind { 'event' }

sub new {
    my ($class, $event) = @_;
    my $json = ref $event ? HA::JSON::encode($event) : HA::FFI::utf8_bytes($event);
    return $class->_own(HA::FFI::get(event_from_json => \$json));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(event_copy => $self)) }

# The number of its kind, as in ha.h.
sub kind { my ($self) = @_; return HA::FFI::event_get_kind($self->{handle}) }

sub name { my ($self) = @_; return HA::FFI::get(event_text => $self, 'event') }

sub text { my ($self, $field) = @_; return HA::FFI::get(event_text => $self, $field) }

sub number { my ($self, $field) = @_; return HA::FFI::get(event_number => $self, $field) }

sub list {
    my ($self, $field) = @_;
    my @items;
    while (defined(my $item = HA::FFI::get(event_item => $self, $field, scalar @items))) { push @items, $item }
    return @items;
}

sub severity { my ($self) = @_; return HA::FFI::word(severity => HA::FFI::get(event_get_severity => $self)) }

sub sentence { my ($self) = @_; return HA::FFI::get_text(event_sentence => $self) }

sub json { my ($self) = @_; return HA::FFI::get_text(event_to_json => $self) }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(event_to_json => $self)) }

package HA::Job;

our @ISA = 'HA::Object';

sub _kind { 'job' }

sub new {
    my ($class, %job) = @_;
    my @texts = map { $job{$_} // '' } qw(sid uid target);
    my $list  = HA::FFI::str_list(@texts);
    my @pairs = unpack 'Q6', ${$list->{list}};
    @pairs[2 * $_, 2 * $_ + 1] = (0, 0) for grep { !length $texts[$_] } 0 .. 2;
    my $packed = pack 'QQ6lx4q', $job{id} // 1, @pairs, HA::FFI::word_number(service_state => $job{command}),
        $job{timeout} // -1;
    return $class->_own(HA::FFI::get(job_new => HA::FFI::address($packed)));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(job_copy => $self)) }

sub as_hash {
    my ($self) = @_;
    my $room = HA::FFI::room(72);
    HA::FFI::call(job_get => $self, HA::FFI::address($room));
    my ($id, @fields) = unpack 'QQ6lx4q', $room;
    my %job = (id => $id);
    for my $field (qw(sid uid target)) {
        my $text = HA::FFI::lent(splice @fields, 0, 2);
        $job{$field} = $text if defined $text;
    }
    $job{command} = HA::FFI::word(service_state => $fields[0]);
    $job{timeout} = $fields[1] if $fields[1] >= 0;
    return \%job;
}

# Carries the job out with the agent methods of a host; gives its exit code.
sub run { my ($self, $node, $agent) = @_; return HA::FFI::get(job_run => $self, $node, $agent->_handle) }

sub steps { my ($self, $node) = @_; return HA::JobSteps->_own(HA::FFI::get(job_steps_new => $self, $node)) }

package HA::JobSteps;

our @ISA = 'HA::Object';

my @STEPS = (undef, qw(knows_type locate check_running start stop move done));
my %STEP_ANSWERS = (ok => 1, yes => 2, no => 3, none => 4, failed => -1);

sub _kind { 'job_steps' }

sub next {
    my ($self) = @_;
    my $room = HA::FFI::room(40);
    HA::FFI::call(job_steps_next => $self, HA::FFI::address($room));
    my ($step, $motion, $target, $length, $timeout, $exit_code) = unpack 'llQQql', $room;
    my %next = (step => $STEPS[$step]);
    @next{qw(motion target)} = (HA::FFI::word(motion => $motion), HA::FFI::lent($target, $length)) if $step == 6;
    $next{timeout}   = $timeout if $step == 5 && $timeout >= 0;
    $next{exit_code} = $exit_code if $step == 7;
    return \%next;
}

sub answer {
    my ($self, $host, $answer, $text) = @_;
    HA::FFI::call(job_steps_answer => $self, $STEP_ANSWERS{$answer // ''} // -1, $text // '', $host->_handle);
    return $self;
}

package HA::Daemon;

our @ISA = 'HA::Object';

my @WAITS = (undef, qw(next_iteration lock_retry jobs exit));

# node, host; timings: HA::Timings, or none for the customary ones.
sub new {
    my ($class, %given) = @_;
    return $class->_own(HA::FFI::get($class->_kind . '_new', $given{node}, $given{timings}, $given{host}->_handle));
}

# monotonic: nanoseconds. Gives when it wants to be called next, and what it waits for.
sub tick {
    my ($self, $host, $monotonic, $wall) = @_;
    my (undef, $next, $wait) = HA::FFI::call($self->_kind . '_tick', $self, $host->_handle, $monotonic, $wall // time);
    return { next => $next, wait => $WAITS[$wait] };
}

package HA::Crm;

our @ISA = 'HA::Daemon';

sub _kind { 'crm' }

sub request_stop { my ($self, $host) = @_; HA::FFI::call(crm_request_stop => $self, $host->_handle); return $self }

sub state { my ($self) = @_; return HA::FFI::word(daemon_state => HA::FFI::get(crm_state => $self)) }

sub manager_status {
    my ($self) = @_;
    my $handle = HA::FFI::get(crm_manager_status => $self);
    return $handle ? HA::ManagerStatus->_own($handle) : undef;
}

package HA::Lrm;

our @ISA = 'HA::Daemon';

sub _kind { 'lrm' }

sub request_stop {
    my ($self, $host, $request, $monotonic, $wall) = @_;
    HA::FFI::call(lrm_request_stop => $self, HA::FFI::word_number(stop_request => $request), $host->_handle, $monotonic,
        $wall // time);
    return $self;
}

sub _get { my ($self) = @_; my (undef, @fields) = HA::FFI::call(lrm_get_state => $self); return @fields }

sub state { my ($self) = @_; return HA::FFI::word(lrm_state => ($self->_get)[0]) }

sub mode { my ($self) = @_; return HA::FFI::word(lrm_mode => ($self->_get)[1]) }

package HA::RoundInput;

our @ISA = 'HA::Object';

sub _kind { 'round_input' }

# members: node => online; lrms: node => HA::LrmStatus; configuration; unmanaged, usage: as hosts give them.
sub new {
    my ($class, %given) = @_;
    my $self = $class->_own(HA::FFI::get('round_input_new'));
    $self->set_member($_, $given{members}{$_}) for sort keys %{$given{members} // {}};
    $self->set_lrm($_, $given{lrms}{$_}) for sort keys %{$given{lrms} // {}};
    $self->set_configuration($given{configuration}) if $given{configuration};
    $self->set_unmanaged($given{unmanaged}) if $given{unmanaged};
    $self->set_usage($given{usage}) if $given{usage};
    return $self;
}

# online undef: it is no member any more.
sub set_member {
    my ($self, $node, $online) = @_;
    HA::FFI::call(round_input_set_member => $self, $node, defined $online ? ($online ? 1 : 0) : -1);
    return $self;
}

sub set_lrm { my ($self, $node, $lrm) = @_; HA::FFI::call(round_input_set_lrm => $self, $node, $lrm); return $self }

sub set_configuration { my ($self, $given) = @_; HA::FFI::call(round_input_set_configuration => $self, $given); return $self }

sub set_unmanaged {
    my ($self, $guests) = @_;
    HA::FFI::call(round_input_clear_unmanaged => $self);
    HA::FFI::call(round_input_add_unmanaged => $self, @$_{qw(sid node)}, $_->{running} ? 1 : 0) for @$guests;
    return $self;
}

sub set_usage {
    my ($self, $usage) = @_;
    HA::FFI::call(round_input_set_usage => $self, $usage ? HA::Usage->_of($usage) : undef);
    return $self;
}

package HA::Manager;

our @ISA = 'HA::Object';

sub _kind { 'manager' }

# node, status, configuration, unique (16 bytes), host; timings: HA::Timings, or none for the customary ones.
sub new {
    my ($class, %given) = @_;
    my $unique = $given{unique};
    return $class->_own(HA::FFI::get(manager_new => $given{node}, $given{timings}, $given{status}, $given{configuration},
            \$unique, $given{host}->_handle));
}

sub round {
    my ($self, $input, $host, $monotonic, $wall) = @_;
    HA::FFI::call(manager_round => $self, $input, $host->_handle, $monotonic, $wall // time);
    return $self;
}

sub resume { my ($self, $status) = @_; HA::FFI::call(manager_resume => $self, $status); return $self }

sub status { my ($self) = @_; return HA::ManagerStatus->_own(HA::FFI::get(manager_get_status => $self)) }

package HA::Simulation;

our @ISA = 'HA::Object';

sub _kind { 'simulation' }

sub play_folder { my ($class, $folder) = @_; return $class->_own(HA::FFI::get(simulation_play_folder => $folder)) }

# files: name => content.
sub play_text {
    my ($class, $text, %files) = @_;
    my @names = sort keys %files;
    my ($names, $texts) = (HA::FFI::str_list(@names), HA::FFI::str_list(@files{@names}));
    return $class->_own(HA::FFI::get(simulation_play_text => $text, $names->{data}, $texts->{data}, scalar @names));
}

sub failures {
    my ($self) = @_;
    my $count = HA::FFI::get(simulation_failure_count => $self);
    return map { HA::FFI::error_from_handle(HA::FFI::get(simulation_failure => $self, $_)) } 0 .. $count - 1;
}

sub count { my ($self) = @_; return HA::FFI::get(simulation_happening_count => $self) }

sub happening { my ($self, $index) = @_; return HA::JSON::decode(HA::FFI::get(simulation_happening_json => $self, $index)) }

sub happenings { my ($self) = @_; return map { $self->happening($_) } 0 .. $self->count - 1 }

# Those for which the recorded scenarios have a word.
sub recorded {
    my ($self) = @_;
    return map { $self->happening($_) } grep { (HA::FFI::call(simulation_happening => $self, $_))[3] } 0 .. $self->count - 1;
}

sub event {
    my ($self, $index) = @_;
    my $handle = HA::FFI::get(simulation_event => $self, $index);
    return $handle ? HA::Event->_own($handle) : undef;
}

sub places { my ($self, $sid) = @_; return @{HA::JSON::decode(HA::FFI::get(simulation_places => $self, $sid))} }

sub manager_status {
    my ($self) = @_;
    my $handle = HA::FFI::get(simulation_manager_status => $self);
    return $handle ? HA::ManagerStatus->_own($handle) : undef;
}

sub view { my ($self, $node) = @_; return HA::FFI::get_text(simulation_view => $self, $node) }

1;

__END__

=encoding utf8

=head1 NAME

HA - high availability of services in a cluster

=head1 SYNOPSIS

    use HA;

    my $configuration = HA::Configuration->new('resources.cfg' => $bytes, 'rules.cfg' => $more_bytes);
    warn "$_\n" for $configuration->problems('resources.cfg');

    my $status    = HA::ManagerStatus->new($json);
    my $situation = HA::Situation->new($status, $configuration);
    for my $recovery ($situation->after_failure('node3')) {
        printf "%s -> %s\n", $recovery->{sid}, $recovery->{to} // 'nowhere';
    }

=head1 DESCRIPTION

The library C<libha> for Perl: configuration files, rules, placement with its reasons, status records, and the two daemons
CRM and LRM, driven by your own loop, with your own store, locks, watchdog and guests. F<examples/perl> has whole
programs. It needs L<FFI::Platypus> and no compiler. The library is looked for where the system has it, or taken from
C<HA_LIBRARY>.

Errors are exceptions of the class L</HA::Error>. Objects free what is behind them. Hashes and arrays are plain ones;
texts are Perl texts, but for the bytes of configuration files.

One object is used by one call at a time: using a daemon from one of its own host's methods is an error with the status
C<busy>. Objects are not copied into threads.

=head2 HA

C<< HA->version >>, C<< HA->abi_version >>; C<< HA->check_command($line) >> gives a line of the command queue in its plain
form, or throws; C<< HA->compare_versions($one, $other) >>; C<< HA->live_handles >> and C<< HA->live_texts >> for tests that
look for leaks; C<HA::NONE> is what a host's method returns where there certainly is none.

=head2 HA::Configuration

C<< new(%files) >> takes the bytes of files by name; also C<service_types>, type to C<any> or C<digits>, and C<guests>, SID to
node. C<< read($file, $bytes) >>, C<< write($file) >>, C<< problems($file) >> (a list of L</HA::Error>),
C<< digest($file) >>, C<< sections($file) >> (pairs of type and id), C<< property($file, $id, $key) >>,
C<< as_hash($file) >>, C<read_datacenter_json>, C<set_guest>, C<clear_guests>, C<fence_report(@nodes)>, C<shadowed_groups>,
C<copy>.

C<< edit($action, $id, %with) >> carries an edit out or throws, with the status C<edit>, and C<details> that name each
property at fault. Actions: C<add_>, C<set_>, C<remove_> with C<resource>, C<group>, C<rule>, and C<set_datacenter>. With:
C<set> (hash, or pairs), C<unset>, C<rule_type>, C<nodes> (all members), C<in_error> (services in that state), C<guests>
(number to type), C<seen> (a digest), C<keep_in_rules>.

=head2 HA::Rules

C<< new($configuration, @nodes) >>, C<dropped> (a list of L</HA::Error>: section is the rule, code the reason), C<as_hash>,
C<why_together($one, $other)>, C<why_apart($one, $other)>.

=head2 HA::Situation

C<< new($status, $configuration, %with) >>, with C<members>, C<usage> (C<nodes> and C<services>, each with C<max_cpu>,
C<max_memory>, C<cpu>, C<memory>), C<unmanaged> (hashes of C<sid>, C<node>, C<running>). C<select($sid, $preference)> gives a
node or undef, C<explain($sid, $preference, \@changes)> why, C<counterfactual($sid, $preference, $node)> what would have
to be different, C<after_failure(@nodes)> where services would go, C<balance($count, $manager)> what balancing would do.
Preferences: C<none>, C<best_score>, C<try_next>.

=head2 HA::ManagerStatus, HA::LrmStatus

C<< new($json_or_hash) >>, C<json>, C<as_hash>, C<copy>; C<master>, C<nodes>, C<node_state>, C<set_node>, C<services>, C<service>,
C<set_service>, C<remove_service>, C<failed_nodes>; C<state>, C<mode>, C<timestamp>, C<set>, C<results>, C<result>,
C<add_result>. One that a host's method gets is lent: it holds until the method returns, and C<copy> keeps it.

=head2 HA::View

C<< new(own_node => ..., quorate => ..., now => ..., manager => ..., configuration => ..., lrms => {}, locations => {}) >>;
C<lines>, C<text>, C<as_hash>.

=head2 HA::Timings

C<< new('customary') >>, C<< new('fast') >> or C<< new(\%settings) >>; C<get>, C<set>, C<as_hash>; C<check> throws if they are not
safe, with each inequality and its mend in C<details>, and else gives what follows from them, in nanoseconds;
C<watchdog_timeout_left($nanoseconds)>.

=head2 HA::Crm, HA::Lrm

C<< new(node => ..., host => ..., timings => ...) >>. C<< tick($host, $monotonic_nanoseconds, $wall_seconds) >> does what is to
be done now and gives C<next>, when to call again, and C<wait>: C<next_iteration>, C<lock_retry>, C<jobs>, or C<exit>. C<state>;
C<request_stop($host)>, for an LRM C<request_stop($host, $request, $monotonic, $wall)> with C<restart>, C<node_reboot> or
C<node_shutdown>; C<manager_status> of a master; C<mode> of an LRM.

After an error with the status C<panic> a bug struck in the library: stop feeding the watchdog, and let the node be reset.

=head2 HA::Host

The base class of hosts. Write a class with the methods that your daemons need; those that you leave out fail when they
are called for. A method fails by dying: that is reported as an event C<host_call_failed> with what it died of, and tried
again later; it does no harm to the daemon. C<< $host->exceptions >> gives what methods died of since it was last asked,
as hashes of C<method> and C<exception>.

Where it says I<none>, return C<HA::NONE>; undef is a mistake and counts as a failure, since it is what Perl returns by
accident.

    event($event)                          an HA::Event; should not die
    refresh                                returning is enough
    is_quorate                             true or false
    members                                { node => online }
    take_lock($lock)                       'acquired', 'renewed' or 'refused'
    release_lock($lock)                    returning is enough
    open_watchdog($not_after)              'fed' or 'too_late'; nanoseconds
    feed_watchdog($not_after)              'fed' or 'too_late'
    close_watchdog                         returning is enough
    read_manager_status                    HA::ManagerStatus, JSON, hash or none
    write_manager_status($status)          returning is enough
    read_lrm_status($node)                 HA::LrmStatus, JSON, hash or none
    write_lrm_status($status)              returning is enough
    read_configuration                     HA::Configuration
    commands_waiting                       true or false
    take_commands                          [ lines ]
    move_configuration($sid, $from, $to)   returning is enough
    remove_leftover_locks($sid, $node)     name of the lock, or none
    set_requested_state($sid, $state)      returning is enough
    write_group_migration($rules, $rules_digest, $resources, $resources_digest)
    remove_groups($digest)                 returning is enough
    software_version($node)                version or none
    run_fence_device($node, $attempt, \@commands)  'running', 'fenced' or 'not_fenced'
    unmanaged_services                     [ { sid, node, running } ]
    usage                                  { nodes => {}, services => {} }
    random_bytes                           sixteen bytes
    start_job($job)                        'running', or its exit code
    finished_jobs                          [ [ id, exit code ] ]
    knows_type($type)                      true or false
    guest_node($sid)                       node or none
    is_running($sid)                       true or false
    start($sid)                            returning is enough
    stop($sid, $timeout)                   undef: as the agent likes
    move_to($sid, $target, $motion)        'migrate' or 'relocate'

=head2 HA::Job

C<< run($node, $agent) >> carries it out with the agent methods of a host (the last seven) and gives its exit code; the
agent must be another object than the host of the running daemon. C<as_hash>, C<copy>, C<new>; C<steps($node)> for those
who do not want to block: C<next> says what to ask, C<answer($host, $answer, $text)> takes C<ok>, C<yes>, C<no>, C<none> or
C<failed>.

=head2 HA::Manager, HA::RoundInput

One round after another, for those with daemons of their own: C<< round($input, $host, $monotonic, $wall) >>, C<status>,
C<resume($status)>.

=head2 HA::Event

C<name>, C<kind>, C<text($field)>, C<number($field)>, C<list($field)>, C<severity>, C<sentence>, C<json>, C<as_hash>, C<copy>.

=head2 HA::Simulation

C<play_folder($folder)>, C<play_text($scenario, %files)>: plays a scenario in the virtual cluster. C<failures>, C<happenings>,
C<recorded>, C<event($index)>, C<places($sid)>, C<manager_status>, C<view($node)>.

=head2 HA::Error

C<status> (C<argument>, C<handle>, C<busy>, C<panic>, C<name>, C<content>, C<not_found>, C<edit>, C<timings>, C<read>,
C<state>, C<limit>), C<message>, C<code>, C<line>, C<section>, C<field>, C<details>. As a text it is its message.

=head1 LICENSE

MIT or Apache-2.0, as you like.

=cut
