# The host of examples/perl for toolstacks with one environment: a whole node in real time, with children for what takes time.
use v5.26;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use lib dirname(__FILE__) . '/../../../examples/perl';
use EnvironmentHost;

# One node, whose guests are files, so that children can start and stop them.
package Environment {
    sub new { my ($class, %with) = @_; return bless { dir => File::Temp::tempdir(CLEANUP => 1), locks => {}, records => {}, fed => 0, log => [], %with }, $class }
    sub nodename { 'n1' }
    sub monotonic { Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) }
    sub quorate { 1 }
    sub members { +{ n1 => 1 } }
    sub writer { "n1 $$" }
    sub lock { my ($self, $name) = @_; $self->{locks}{$name} = $self->writer; return 1 }
    sub unlock { my ($self, $name) = @_; delete $self->{locks}{$name} }
    sub read { $_[0]{records}{$_[1]} }
    sub write { $_[0]{records}{$_[1]} = $_[2] }
    sub configuration { my ($self) = @_; return { resources => { 'vm:100' => { state => $self->{state} // 'started' } }, guests => { 'vm:100' => 'n1' } } }
    sub set_state { $_[0]{state} = $_[2] }
    sub move_guest { }
    sub take_commands { return [delete $_[0]{command} // ()] }
    sub watchdog { my ($self, $what) = @_; $self->{fed}++ if $what eq 'feed'; $self->{watchdog} = $what }
    sub agent { my ($self, $type) = @_; return $type eq 'vm' ? $self : undef }
    sub log { my ($self, $severity, $text) = @_; push @{$self->{log}}, $text; $self->{seen}->($self, $text) if $self->{seen} }

    sub node { 'n1' }
    sub running { my ($self, $sid) = @_; return -e "$self->{dir}/$sid" ? 1 : 0 }
    sub locked { my ($self, $sid) = @_; return -e "$self->{dir}/lock" ? 'backup' : undef }
    sub start { my ($self, $sid) = @_; sleep 60 if -e "$self->{dir}/hangs"; open my $file, '>', "$self->{dir}/$sid" or die $! }
    sub stop { my ($self, $sid) = @_; unlink "$self->{dir}/$sid" or die $! if -e "$self->{dir}/$sid" }
    sub touch { my ($self, $name) = @_; open my $file, '>', "$self->{dir}/$name" or die $! }
}

# The same, for an environment that can tell who wrote a lock.
package Environment::Told {
    our @ISA = 'Environment';
    sub lock_writer { return $_[0]{locks}{$_[1]} }
}

package main;

# Lets a node work until something is told, with a limit; then it is asked to stop as its node goes down.
sub live {
    my ($env, $until, $meanwhile) = @_;
    local $env->{seen} = sub {
        my ($env, $text) = @_;
        $meanwhile->($env, $text) if $meanwhile;
        kill TERM => $$ if $text =~ $until && !$env->{asked}++;
    };
    local $SIG{ALRM} = sub { fail("waited in vain for $until:\n" . join "\n", @{$env->{log}}); POSIX::_exit(1) };
    alarm 120;
    EnvironmentHost::run($env, EnvironmentHost->new($env, 'crm'), EnvironmentHost->new($env, 'lrm'), timings => HA::Timings->new('fast'), stop => 'node_shutdown');
    alarm 0;
}

for my $class (qw(Environment Environment::Told)) {
    my $env = $class->new;
    live($env, qr/vm:100 runs/);
    ok(!$env->running('vm:100'), "$class: the guest was started, and stopped when the node went down");
    ok($env->{fed} > 0 && $env->{watchdog} eq 'close', 'the watchdog was fed, and closed in the end');
    is_deeply($env->{locks}, {}, 'no lock is left');
    my $acquired = grep { /takes ha_manager_lock/ } @{$env->{log}};
    is($acquired, 1, 'the master took its lock once, and renewed it from then on');
}

{
    my $env = Environment->new;
    $env->touch('lock');
    my $waits = 0;
    live($env, qr/vm:100 runs/, sub { my ($env, $text) = @_; unlink "$env->{dir}/lock" if $text =~ /locked by 'backup'/ && ++$waits == 2 });
    is($waits, 2, 'a guest that is locked is tried again until it is not');
    my @failed = grep { !/locked by/ && /could not|fail/i } @{$env->{log}};
    is_deeply(\@failed, [], 'and nothing has failed');
}

{
    my $env = Environment->new;
    my $host = EnvironmentHost->new($env, 'lrm');
    $env->touch('hangs');
    is($host->start_job(HA::Job->new(id => 7, sid => 'vm:100', command => 'started', uid => 'a')), 'running', 'a start that hangs goes on');
    is_deeply($host->finished_jobs, [], 'by itself');
    $host->end_job(7);
    my $ended = [];
    for (1 .. 500) { $ended = $host->finished_jobs; last if @$ended; select undef, undef, undef, 0.01 }
    is_deeply($ended, [[7, -1]], 'once it is ended it has been killed');
    is($host->start_job(HA::Job->new(id => 8, sid => 'ct:1', command => 'started', uid => 'b')), 'running', 'a job for an unknown type');
    is_deeply($host->finished_jobs, [[8, 4]], 'ends at once');
}

is(HA->live_handles, 0, 'nothing is left over') if !eval { require Devel::Cover };
done_testing;
