# What Perl gives by accident is no answer: false, empty and half true values where something clear is wanted.
use v5.26;
use warnings;
use Test::More;
use JSON::PP ();
use HA;

my $SECOND = 1_000_000_000;

# A host of one node with a started service, of which each method can be made to return something else.
package One {
    our @ISA = 'HA::Host';
    our %WELL = (
        refresh => sub { }, is_quorate => sub { 1 }, members => sub { +{ n1 => 1 } },
        take_lock => sub { 'renewed' }, release_lock => sub { }, open_watchdog => sub { 'fed' }, feed_watchdog => sub { 'fed' },
        close_watchdog => sub { }, read_manager_status => sub { $_[0]{manager} }, write_manager_status => sub { $_[0]{written}++; return },
        read_lrm_status => sub { HA::NONE }, write_lrm_status => sub { $_[0]{lrm} = $_[1]->as_hash; return },
        read_configuration => sub { HA::Configuration->new('resources.cfg' => "vm: 100\n\n") },
        commands_waiting => sub { 0 }, take_commands => sub { [] }, move_configuration => sub { }, remove_leftover_locks => sub { HA::NONE },
        set_requested_state => sub { }, software_version => sub { HA::NONE }, unmanaged_services => sub { [] },
        random_bytes => sub { '0123456789abcdef' }, start_job => sub { 'running' }, finished_jobs => sub { [] },
        knows_type => sub { 1 }, guest_node => sub { 'n1' }, is_running => sub { 1 }, start => sub { }, stop => sub { }, move_to => sub { },
    );
    while (my ($name, $code) = each %WELL) {
        no strict 'refs';
        *$name = sub { my ($self) = @_; return ($self->{instead}{$name} // $code)->(@_) };
    }

    sub new {
        my ($class, %instead) = @_;
        my $manager = HA::ManagerStatus->new({ node_status => { n1 => 'online' },
            service_status => { 'vm:100' => { state => 'started', node => 'n1', uid => 'a' } } });
        return bless { manager => $manager, instead => \%instead, events => [] }, $class;
    }

    sub event { my ($self, $event) = @_; push @{$self->{events}}, $event->as_hash }

    # What the core was told of calls that failed.
    sub failures { my ($self) = @_; return grep { $_->{event} eq 'host_call_failed' } @{$self->{events}} }
}

package main;

sub shown { my ($value) = @_; return defined $value ? ref $value || "'$value'" : 'undef' }

sub after {
    my (%instead) = @_;
    my $host = One->new(%instead);
    my @daemons = (HA::Crm->new(node => 'n1', host => $host), HA::Lrm->new(node => 'n1', host => $host));
    for my $now (1 .. 40) { $_->tick($host, $now * $SECOND, 1_700_000_000) for @daemons }
    return $host;
}

subtest 'all is well' => sub {
    my $host = after();
    is_deeply([$host->exceptions], []);
    ok($host->{written}, 'a manager works');
};

subtest 'what is neither true nor false' => sub {
    my @unclear = ('', '0 but true', '0E0', 'no', 'false', 'yes', -1, '00', [], {}, undef);
    for my $answer (@unclear) {
        my @told = after(is_quorate => sub { $answer })->exceptions;
        is($told[0]{method}, 'is_quorate', 'is_quorate: ' . shown($answer) . ' is told');
    }
    for my $answer (@unclear) {
        my $host = after(members => sub { +{ n1 => 1, n2 => $answer } });
        is(($host->exceptions)[0]{method}, 'members', 'members: ' . shown($answer) . ' is told');
        is($host->{written}, undef, 'and nothing is decided by it');
    }
    my $job = HA::Job->new(id => 1, sid => 'vm:100', command => 'stopped');
    for my $answer (@unclear) {
        isnt($job->run('n1', One->new(is_running => sub { $answer })), 'success', 'is_running: ' . shown($answer) . ' is not stopped');
    }
};

subtest 'what is true or false' => sub {
    my $job = HA::Job->new(id => 1, sid => 'vm:100', command => 'stopped');
    is($job->run('n1', One->new(is_running => sub { $_[0]{asked}++ ? $_ : 1 })), 'success', 'false: ' . shown($_))
        for 0, '0', !!0, (1 == 2), JSON::PP::false();
    for my $true (1, '1', 3, !!1, JSON::PP::true()) {
        is_deeply([after(is_quorate => sub { $true }, members => sub { +{ n1 => $true } })->exceptions], [], 'true: ' . shown($true));
    }
};

subtest 'methods that have nothing to say' => sub {
    for my $answer ('', 0, '0', '0E0', '0 but true', '0.0', -1) {
        my $host = after(write_manager_status => sub { $answer });
        is(($host->failures)[0]{operation}, 'write_manager_status', shown($answer) . ' is no success');
    }
};

subtest 'names and lists' => sub {
    my $job = HA::Job->new(id => 1, sid => 'vm:100', command => 'started');
    isnt($job->run('n1', One->new(guest_node => sub { $_ })), 'success', 'guest_node: ' . shown($_)) for '', 0, '0', undef, [], {};
    for my $lines ('migrate vm:100 n2', {}, [undef], [''], [[]], undef) {
        my $host = after(take_commands => sub { $lines });
        is(($host->failures)[0]{operation}, 'commands', 'take_commands: ' . shown($lines));
    }
    for my $record ('', 0, '0', '[]', 'null', '""', [], \'{}', undef) {
        my $host = after(read_manager_status => sub { $record });
        is($host->{written}, undef, 'no record is made of ' . shown($record));
        ok(scalar $host->failures, 'and it is told');
    }
};

subtest 'exit codes and ids' => sub {
    for my $end ('', 0, '0', !!0, '0 but true', '00', 1.5, '1e3', 4_294_967_296, -4_294_967_296, 'done', [], undef) {
        my $host = after(start_job => sub { $end });
        is($host->{lrm}{results}{a}, undef, 'start_job: ' . shown($end) . ' is no end of a job');
        is(($host->failures)[0]{operation}, 'start_job', 'and is told');
    }
    for my $job (undef, 'a', '', [undef, 'success'], ['', 'success'], ['one', 'success'], [1.5, 'success'], [-1, 'success'], [1, 0], [1]) {
        my $host = after(finished_jobs => sub { [$job] });
        is(($host->failures)[0]{operation}, 'finished_jobs', 'finished_jobs: ' . shown(ref $job ? join ' ', map { $_ // 'undef' } @$job : $job));
    }
};

subtest 'ways out of a method' => sub {
    package Mute { use overload '""' => sub { die "mute\n" }, fallback => 1; }
    package Hider { sub DESTROY { eval { 1 } } }
    no warnings qw(exiting uninitialized);
    my %ways = (
        'last' => sub { last }, 'next' => sub { next }, 'a die with what can not be shown' => sub { die bless {}, 'Mute' },
        'a die with nothing' => sub { die bless({}, 'Hider'), '' }, 'a die with undef' => sub { die undef },
    );
    for my $way (sort keys %ways) {
        my $host = after(write_manager_status => $ways{$way});
        is(($host->failures)[0]{operation}, 'write_manager_status', "$way is a failure");
    }
};

subtest 'a method that is missing' => sub {
    for my $missing (qw(take_lock feed_watchdog read_manager_status write_manager_status random_bytes finished_jobs is_running)) {
        my $class = "Without_$missing";
        no strict 'refs';
        @{"${class}::ISA"} = 'One';
        *{"${class}::can"} = sub { my ($self, $method) = @_; return $method eq $missing ? undef : $self->SUPER::can($method) };
        my $host = $class->new;
        eval { HA::Crm->new(node => 'n1', host => $host) };
        like($@, qr/callback $missing is NULL/, "$missing is named when the host is made");
    }
};

subtest 'a stop that is asked for during a tick' => sub {
    my ($crm, $lrm, $error);
    my $host = One->new(refresh => sub {
        my ($self) = @_;
        eval { $crm->request_stop($self); $lrm->request_stop($self, 'restart', 2 * $SECOND); 1 } or $error //= $@;
        return;
    });
    $crm = HA::Crm->new(node => 'n1', host => $host);
    $lrm = HA::Lrm->new(node => 'n1', host => $host);
    my (%waits, $now);
    for $now (1 .. 30) {
        $waits{crm} = $crm->tick($host, $now * $SECOND)->{wait};
        $waits{lrm} = $lrm->tick($host, $now * $SECOND)->{wait};
    }
    is($error, undef, 'is not refused');
    is($lrm->mode, 'restart', 'the LRM has heard it');
    is($waits{crm}, 'exit', 'and the CRM, which has ended');
};

subtest 'named arguments that are not known' => sub {
    my $host = One->new;
    my $status = HA::ManagerStatus->new;
    my $configuration = HA::Configuration->new;
    my %calls = (
        crm => sub { HA::Crm->new(node => 'n1', host => $host, timing => 'fast') },
        lrm => sub { HA::Lrm->new(nodes => 'n1', host => $host) },
        job => sub { HA::Job->new(sid => 'vm:100', command => 'stopped', timout => 1) },
        input => sub { HA::RoundInput->new(member => {}) },
        manager => sub { HA::Manager->new(node => 'n1', status => $status, configuration => $configuration, unique => 'x' x 16, host => $host, x => 1) },
        situation => sub { HA::Situation->new($status, $configuration, member => ['n1']) },
        view => sub { HA::View->new(node => 'n1') },
        edit => sub { $configuration->edit(add_resource => 'vm:100', sets => {}) },
        configuration => sub { HA::Configuration->new('resource.cfg' => '') },
        service => sub { $status->set_service(sid => 'vm:100', node => 'n1', state => 'started', run => 1) },
        lrm_status => sub { HA::LrmStatus->new->set(status => 'active') },
        result => sub { HA::LrmStatus->new->add_result(uid => 'a', sid => 'vm:100', state => 'started', exitcode => 0) },
        lock => sub { HA->decide_lock(node => 'n1', hands => 'own', lifetime => 1, unchanged_for => 0) },
        'an odd number' => sub { HA::RoundInput->new('members') },
    );
    for my $what (sort keys %calls) {
        ok(!eval { $calls{$what}->(); 1 }, "$what: is refused");
        is(ref $@ && $@->status, 'argument', 'as a wrong argument');
    }
};

subtest 'what is lent is not freed' => sub {
    my @errors;
    my $host = One->new;
    no warnings 'redefine';
    local *One::event = sub { my (undef, $event) = @_; eval { HA::FFI::call(event_free => $event) }; push @errors, $@; push @errors, $event->name };
    HA::Crm->new(node => 'n1', host => $host);
    is(ref $errors[0] && $errors[0]->status, 'handle', 'freeing it is an error');
    is($errors[1], 'daemon_state', 'and it is still there');
};

is(HA->live_handles, 0, 'nothing is left over');
done_testing;
