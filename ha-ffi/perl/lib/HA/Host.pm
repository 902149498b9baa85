package HA::Host;

# The callbacks of a host as methods of a Perl class.

use v5.26;
use warnings;
use Config;
use FFI::Platypus::Buffer qw(scalar_to_buffer);
use Hash::Util::FieldHash ();
use B ();
use Scalar::Util qw(weaken blessed looks_like_number);
use HA ();

Hash::Util::FieldHash::fieldhash my %STATE;

# What is made of what a method returns, and by which methods.
my %METHODS = (
    ok => [qw(refresh release_lock close_watchdog write_manager_status write_lrm_status move_configuration set_requested_state
        write_group_migration remove_groups forget_fence_attempts start stop move_to end_job)],
    yes_or_no => [qw(is_quorate commands_waiting knows_type is_running)],
    lock      => ['take_lock'],
    fed       => [qw(open_watchdog feed_watchdog)],
    fence     => ['run_fence_device'],
    text      => [qw(remove_leftover_locks software_version guest_node guest_lock)],
    texts     => ['take_commands'],
    members   => ['members'],
    unmanaged => ['unmanaged_services'],
    usage     => [qw(usage usage_by_mode)],
    bytes     => ['random_bytes'],
    job       => ['start_job'],
    jobs      => ['finished_jobs'],
    seconds   => ['job_time_limit'],
    ready     => ['probe'],
    manager_status => ['read_manager_status'],
    lrm_status     => ['read_lrm_status'],
    configuration  => ['read_configuration'],
);
my %RETURNS = map { my $made = $_; map { $_ => $made } @{$METHODS{$made}} } keys %METHODS;

# Callbacks that are another method's.
my %METHOD = (usage_by_mode => 'usage');

# The letters of HA::Interface::CALLBACKS.
my %TYPES = (
    s => ['opaque', 'size_t'], Q => ['uint64'], q => ['sint64'], i => ['sint32'], u => ['uint32'], c => ['string'],
    m => ['opaque'], r => ['opaque'], j => ['opaque'], f => ['opaque'],
);

my %NUMBER = %{$HA::Interface::NUMBERS{answer}};
my ($OK, $YES, $NO, $NONE, $FAILED, $LOCKED) = @NUMBER{qw(ok yes no none failed locked)};
my %MAY_BE_LOCKED = map { $_ => 1 } qw(start stop move_to);
my %WORDS = (
    lock  => [qw(acquired renewed refused held)],
    fed   => [qw(fed too_late)],
    fence => [qw(running fenced not_fenced)],
    ready => [qw(running ready not_ready never_ready)],
);

sub _one_of {
    my ($words, $answer) = @_;
    my ($word) = grep { $_ eq ($answer // '') } @$words;
    return $NUMBER{$word // ''}
        // die 'answered ' . (defined $answer ? "'$answer'" : 'undef') . ', expected ' . join(' or ', sort @$words) . "\n";
}

sub _defined { my ($answer, $what) = @_; return $answer // die "answered undef, expected $what\n" }

# A text that can't be there by accident.
sub _a_text {
    my ($text, $what) = @_;
    _defined($text, $what);
    die "answered '$text', expected $what\n" if ref $text || $text eq '' || $text eq '0';
    return $text;
}

# What Perl itself gives for false looks empty, but is a number too; a text that is empty for some other reason is not.
sub _is_perls_false { my ($answer) = @_; return $answer eq '' && B::svref_2object(\$answer)->FLAGS & (B::SVf_IOK | B::SVf_NOK) }

# True or false, said clearly: what Perl or a JSON library has for it, or a count. 'no', '0 but true' or -1 are true for Perl.
sub _true_or_false {
    my ($answer, $what) = @_;
    _defined($answer, $what // 'true or false');
    return $answer ? 1 : 0 if blessed $answer && grep { $answer->isa($_) } qw(JSON::PP::Boolean Types::Serialiser::BooleanBase boolean);
    return 0 if !ref $answer && _is_perls_false($answer);
    return $answer eq '0' ? 0 : 1 if !ref $answer && $answer =~ /\A(?:0|[1-9][0-9]*)\z/;
    die "answered '$answer', expected " . ($what // 'true or false') . "\n";
}

sub _array {
    my ($answer, $what) = @_;
    die 'answered ' . (defined $answer ? "'$answer'" : 'undef') . ", expected $what\n" unless ref $answer eq 'ARRAY';
    return $answer;
}

sub _hash {
    my ($answer, $what) = @_;
    die 'answered ' . (defined $answer ? "'$answer'" : 'undef') . ", expected $what\n" unless ref $answer eq 'HASH';
    return $answer;
}

# A whole number from a range: the library would take what does not fit for another one.
sub _whole {
    my ($number, $least, $most, $what) = @_;
    _defined($number, $what);
    die "answered '$number', expected $what\n"
        unless !ref $number && $number =~ /\A(?:0|-?[1-9][0-9]{0,18})\z/ && $number >= $least && $number <= $most;
    return $number;
}

sub _is_none { my ($answer) = @_; return !ref $answer && $answer eq HA::NONE() }

sub _record {
    my ($class, $function, $reply, $answer) = @_;
    _defined($answer, 'a record or HA::NONE');
    return $NONE if _is_none($answer);
    if (blessed $answer && $answer->isa($class)) {
        HA::FFI::call($function, $reply, $answer);
    } else {
        my $json = ref $answer ? HA::JSON::encode($answer) : HA::FFI::utf8_bytes($answer);
        HA::FFI::call(reply_json => $reply, \$json);
    }
    return $OK;
}

# How a job ended, as worked and exit code. 0 is what Perl returns by accident, so success has to be said.
sub _ended {
    my ($answer) = @_;
    return ($YES, 0) if _defined($answer, "'success' or an exit code") eq 'success';
    my $failure = _whole($answer, -2**31, 2**31 - 1, "'success' or the exit code of a failure");
    die "answered '$answer', expected 'success' or the exit code of a failure\n" if $failure == 0;
    return ($NO, $failure);
}

my %ANSWER = (
    ok => sub {
        my (undef, $answer) = @_;
        die "answered '$answer': a method that failed dies, one that worked returns nothing or something true\n"
            if defined $answer && (!$answer || looks_like_number($answer) && $answer <= 0);
        return $OK;
    },
    yes_or_no => sub { _true_or_false($_[1]) ? $YES : $NO },
    (map { my $words = $WORDS{$_}; $_ => sub { _one_of($words, $_[1]) } } keys %WORDS),
    text => sub {
        my ($reply, $text) = @_;
        return $NONE if _is_none(_defined($text, 'a text or HA::NONE'));
        HA::FFI::call(reply_text => $reply, _a_text($text, 'a text or HA::NONE'));
        return $OK;
    },
    texts => sub {
        my ($reply, $texts) = @_;
        HA::FFI::call(reply_text => $reply, _a_text($_, 'an array of texts')) for @{_array($texts, 'an array of texts')};
        return $OK;
    },
    members => sub {
        my ($reply, $members) = @_;
        _hash($members, 'a hash of nodes');
        HA::FFI::call(reply_member => $reply, $_, _true_or_false($members->{$_}, "true or false for $_")) for sort keys %$members;
        return $OK;
    },
    manager_status => sub { _record('HA::ManagerStatus', 'reply_manager_status', @_) },
    lrm_status     => sub { _record('HA::LrmStatus', 'reply_lrm_status', @_) },
    configuration  => sub {
        my ($reply, $configuration) = @_;
        die "answered no HA::Configuration\n" unless blessed $configuration && $configuration->isa('HA::Configuration');
        HA::FFI::call(reply_configuration => $reply, $configuration);
        return $OK;
    },
    unmanaged => sub {
        my ($reply, $guests) = @_;
        HA::FFI::call(reply_unmanaged => $reply, @$_{qw(sid node)}, _true_or_false($_->{running}, 'whether it runs'))
            for map { _hash($_, 'guests with sid, node and running') } @{_array($guests, 'an array of guests')};
        return $OK;
    },
    usage => sub {
        my ($reply, $usage) = @_;
        HA::FFI::call(reply_usage => $reply, HA::Usage->_of(_hash($usage, 'a hash of nodes and services')));
        return $OK;
    },
    bytes => sub {
        my ($reply, $bytes) = @_;
        die "answered a reference, expected bytes\n" if ref _defined($bytes, 'bytes');
        HA::FFI::call(reply_bytes => $reply, \$bytes);
        return $OK;
    },
    seconds => sub {
        my ($reply, $seconds) = @_;
        return $NONE if _is_none(_defined($seconds, 'a number of seconds or HA::NONE'));
        die "answered '$seconds', expected a number of seconds or HA::NONE\n" if ref $seconds || $seconds !~ /\A[0-9]+(?:\.[0-9]+)?\z/;
        HA::FFI::call(reply_seconds => $reply, $seconds);
        return $OK;
    },
    job => sub {
        my ($reply, $answer) = @_;
        return $NUMBER{running} if _defined($answer, "'running', 'success' or an exit code") eq 'running';
        HA::FFI::call(reply_exit_code => $reply, _ended($answer));
        return $NUMBER{finished};
    },
    jobs => sub {
        my ($reply, $jobs) = @_;
        for my $job (@{_array($jobs, 'an array of [id, exit code]')}) {
            my ($id, $exit_code) = @{_array($job, '[id, exit code]')};
            HA::FFI::call(reply_job => $reply, _whole($id, 0, 2**63, 'the id of a job'), _ended($exit_code));
        }
        return $OK;
    },
);

# The arguments of a callback as Perl values.
sub _arguments {
    my ($letters, @raw) = @_;
    my @arguments;
    for my $letter (split //, $letters) {
        my $raw = shift @raw;
        push @arguments,
            $letter eq 's' ? HA::FFI::lent($raw, shift @raw) // ''
            : $letter eq 'm' ? HA::ManagerStatus->_lent($raw)
            : $letter eq 'r' ? HA::LrmStatus->_lent($raw)
            : $letter eq 'j' ? HA::Job->_lent($raw)
            : $letter eq 'f' ? _fence_commands($raw)
            :                  $raw;
    }
    return @arguments;
}

sub _fence_commands {
    my ($commands) = @_;
    my @found;
    for my $number (0 .. HA::FFI::get(fence_commands_count => $commands) - 1) {
        my @words;
        while (defined(my $word = HA::FFI::get(fence_commands_word => $commands, $number, scalar @words))) {
            push @words, $word;
        }
        my @arguments;
        while (defined(my $argument = HA::FFI::get(fence_commands_argument => $commands, $number, scalar @arguments))) {
            push @arguments, $argument;
        }
        my $input = HA::FFI::get(fence_commands_input => $commands, $number);
        push @found, { program => $words[0], words => \@words, arguments => \@arguments, input => $input };
    }
    return \@found;
}

# Words instead of numbers, and lists instead of lines, for the methods that get some.
my %ARGUMENT_WORDS = (
    forget_fence_attempts => sub { $_[0] = [split /\n/, $_[0]]; @_ },
    usage               => sub { $_[0] = $_[0] ? 'dynamic' : 'static' if @_; @_ },
    set_requested_state => sub { $_[1] = HA::FFI::word(requested_state => $_[1]); @_ },
    move_to             => sub { $_[2] = HA::FFI::word(motion => $_[2]); @_ },
    stop                => sub { $_[1] = undef if $_[1] == -1; @_ },
);

sub _closure {
    my ($host, $method, $letters, $answer) = @_;
    weaken $host;
    my $words = $ARGUMENT_WORDS{$method};
    return sub {
        my (undef, @raw) = @_;
        my $reply = pop @raw;
        my ($number, $why);
        # A loop, so that a method that leaves by "last" or "next" leaves no more than that.
        for my $once (1) {
            $number = eval {
                local $SIG{__DIE__};
                my @arguments = _arguments($letters, @raw);
                @arguments = $words->(@arguments) if $words;
                $answer->($reply, scalar $host->$method(@arguments));
            };
            $why = $@;
        }
        return $number if defined $number;
        if ($MAY_BE_LOCKED{$method} && blessed $why && $why->isa('HA::Locked')) {
            return eval { HA::FFI::call(reply_text => $reply, $why->lock); $LOCKED } // $FAILED;
        }
        _remember($host, $method, $why //= "it was left by last or next\n");
        my $text = "$method: " . _in_words($why);
        eval { HA::FFI::call(reply_error => $reply, $text) };
        return $FAILED;
    };
}

# What a method died of as a text, also where that is an object that dies when it is asked.
sub _in_words {
    my ($why) = @_;
    my $text = eval { local $SIG{__DIE__}; "$why" } // 'an exception that can not be shown';
    $text =~ s/\s+\z//;
    return length $text ? $text : 'it died without a word';
}

sub _event_closure {
    my ($host) = @_;
    weaken $host;
    return sub {
        my (undef, $event) = @_;
        my $why;
        for my $once (1) {
            eval { local $SIG{__DIE__}; $host->event(HA::Event->_lent($event)); 1 } and return;
            $why = $@;
        }
        _remember($host, 'event', $why //= "it was left by last or next\n");
        warn 'event: ' . _in_words($why) . "\n";
    };
}

# A daemon may run for years with a host that never asks: only the last ones are kept.
use constant EXCEPTIONS_KEPT => 100;

sub _remember {
    my ($host, $method, $why) = @_;
    return unless $host && $STATE{$host};
    my $exceptions = $STATE{$host}{exceptions} //= [];
    push @$exceptions, { method => $method, exception => $why };
    shift @$exceptions if @$exceptions > EXCEPTIONS_KEPT;
}

# Neither a host nor its closures are for another thread.
sub CLONE_SKIP { 1 }

# What methods died of since this was last called; the last hundred of it.
sub exceptions {
    my ($self) = @_;
    my $exceptions = $STATE{$self} && delete $STATE{$self}{exceptions};
    return @{$exceptions // []};
}

# The handle of a host, made when it is first needed.
sub _handle {
    my ($self) = @_;
    return $STATE{$self}{handle} if $STATE{$self};
    my (@pointers, @closures);
    my $pointer = sub {
        my ($code, $type) = @_;
        my $closure = $HA::FFI::ffi->closure($code);
        push @closures, $closure;
        return $HA::FFI::ffi->cast($type => 'opaque', $closure);
    };
    push @pointers, $self->can('event') ? $pointer->(_event_closure($self), '(opaque,opaque)->void') : 0;
    for my $callback (@HA::Interface::CALLBACKS) {
        my ($name, $letters) = @$callback;
        my $method = $METHOD{$name} // $name;
        my @types = ('opaque', (map { @{$TYPES{$_}} } split //, $letters), 'opaque');
        push @pointers,
            $RETURNS{$name} && $self->can($method)
            ? $pointer->(_closure($self, $method, $letters, $ANSWER{$RETURNS{$name}}), '(' . join(',', @types) . ')->sint32')
            : 0;
    }
    my $size = (3 + @pointers) * $Config{ptrsize};
    my $callbacks = pack "$HA::FFI::PTR*", $size, 0, 0, @pointers;
    my $handle = HA::FFI::get(host_new => HA::FFI::address($callbacks));
    $STATE{$self} = bless { handle => $handle, closures => \@closures }, 'HA::Host::State';
    return $handle;
}

package HA::Host::State;

sub CLONE_SKIP { 1 }

# The handle is freed before the closures that it calls.
sub DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT';
    local ($@, $!, $?);
    eval { HA::FFI::call(host_free => $self->{handle}) };
}

1;
