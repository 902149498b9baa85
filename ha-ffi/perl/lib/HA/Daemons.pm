package HA::Timings;

# Timings, jobs, the two daemons, and the manager on its own.

use v5.26;
use warnings;

our @ISA = 'HA::Object';

sub _kind { 'timings' }

my $PRESETS = $HA::Interface::NUMBERS{timings_preset};

# A preset, or a hash of settings.
sub new {
    my ($class, $given) = @_;
    $given //= 'customary';
    return $class->_own(HA::FFI::get(timings_new => $PRESETS->{$given} // 0)) unless ref $given;
    my $json = HA::JSON::encode($given);
    return $class->_own(HA::FFI::get(timings_from_json => \$json));
}

sub get { my ($self, $setting) = @_; return HA::FFI::get(timings_get => $self, $setting) }

sub set { my ($self, $setting, $value) = @_; HA::FFI::call(timings_set => $self, $setting, $value); return $self }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(timings_to_json => $self)) }

# What follows from the timings, in nanoseconds; throws if they are not safe.
sub check {
    my ($self) = @_;
    return HA::FFI::get_struct(timing_facts => timings_check => $self);
}

sub watchdog_timeout_left { my ($self, $since) = @_; return HA::FFI::get(timings_watchdog_timeout_left => $self, $since) }

package HA::Job;

our @ISA = 'HA::Object';

sub _kind { 'job' }

sub new {
    my ($class, @given) = @_;
    my %job    = HA::FFI::named('HA::Job', [qw(id sid uid command target timeout)], @given);
    my $fields = HA::FFI::struct(job_fields => %job, id => $job{id} // 1, timeout => $job{timeout} // -1,
        command => HA::FFI::word_number(service_state => $job{command}));
    return $class->_own(HA::FFI::get(job_new => $fields->{address}));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(job_copy => $self)) }

sub as_hash {
    my ($self) = @_;
    my $job = HA::FFI::get_struct(job_fields => job_get => $self);
    $job->{command} = HA::FFI::word(service_state => $job->{command});
    delete $job->{timeout} if $job->{timeout} < 0;
    $job->{only_look} = 1 if HA::FFI::get(job_only_looks => $self);
    return $job;
}

# Carries the job out with the agent methods of a host; gives 'success', or the exit code of the failure.
sub run {
    my ($self, $node, $agent) = @_;
    return HA::FFI::get(job_run => $self, $node, $agent->_handle) || 'success';
}

sub steps { my ($self, $node) = @_; return HA::JobSteps->_own(HA::FFI::get(job_steps_new => $self, $node)) }

package HA::JobSteps;

our @ISA = 'HA::Object';

my %STEP_ANSWERS = map { $_ => $HA::Interface::NUMBERS{answer}{$_} } qw(ok yes no none failed locked);

sub _kind { 'job_steps' }

sub next {
    my ($self) = @_;
    my $fields = HA::FFI::get_struct(job_step_fields => job_steps_next => $self);
    my $step   = $HA::FFI::NAME{job_step}{$fields->{step}};
    my %next   = (step => $step);
    @next{qw(motion target)} = (HA::FFI::word(motion => $fields->{motion}), $fields->{target}) if $step eq 'move';
    $next{timeout}   = $fields->{timeout} if $step eq 'stop' && $fields->{timeout} >= 0;
    $next{exit_code} = $fields->{exit_code} if $step eq 'done';
    return \%next;
}

sub answer {
    my ($self, $host, $answer, $text) = @_;
    HA::FFI::call(job_steps_answer => $self, $STEP_ANSWERS{$answer // ''} // $STEP_ANSWERS{failed}, $text // '', $host->_handle);
    return $self;
}

package HA::Daemon;

our @ISA = 'HA::Object';

# node, host; timings: HA::Timings, or none for the customary ones.
sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named($class, [qw(node host timings)], @given);
    return $class->_own(HA::FFI::get($class->_kind . '_new', $given{node}, $given{timings}, $given{host}->_handle));
}

# monotonic: nanoseconds. Gives when it wants to be called next, and what it waits for.
sub tick {
    my ($self, $host, $monotonic, $wall) = @_;
    my (undef, $next, $wait) = HA::FFI::call($self->_kind . '_tick', $self, $host->_handle, $monotonic, $wall // time);
    return { next => $next, wait => $HA::FFI::NAME{wait}{$wait} };
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

sub set_writer {
    my ($self, $machine, $boot) = @_;
    HA::FFI::call(lrm_set_writer => $self, $machine, $boot);
    return $self;
}

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
    my ($class, @given) = @_;
    my %given = HA::FFI::named('HA::RoundInput', [qw(members lrms configuration unmanaged usage)], @given);
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
    my ($class, @given) = @_;
    my %given  = HA::FFI::named('HA::Manager', [qw(node status configuration unique host timings)], @given);
    my $unique = $given{unique};
    return $class->_own(HA::FFI::get(manager_new => $given{node}, $given{timings}, $given{status}, $given{configuration},
            \$unique, $given{host}->_handle));
}

sub round {
    my ($self, $input, $host, $monotonic, $wall) = @_;
    HA::FFI::call(manager_round => $self, $input, $host->_handle, $monotonic, $wall // time);
    return $self;
}

# granting: whether every lock is to be had; commands: lines of the queue. Gives what would have happened, as hashes.
sub rehearse {
    my ($self, $input, @with) = @_;
    my %with = HA::FFI::named('rehearse', [qw(granting commands monotonic wall)], @with);
    my $json = HA::FFI::get(manager_rehearse => $self, $input, $HA::Interface::NUMBERS{answer}{$with{granting} ? 'yes' : 'no'}, $with{commands} // [],
        $with{monotonic} // 0, $with{wall} // time);
    return @{HA::JSON::decode($json)};
}

sub resume { my ($self, $status) = @_; HA::FFI::call(manager_resume => $self, $status); return $self }

sub status { my ($self) = @_; return HA::ManagerStatus->_own(HA::FFI::get(manager_get_status => $self)) }

1;
