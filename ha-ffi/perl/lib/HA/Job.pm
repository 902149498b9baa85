package HA::Job;

# Jobs, and how they are carried out.

use v5.26;
use warnings;
use HA ();

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

1;
