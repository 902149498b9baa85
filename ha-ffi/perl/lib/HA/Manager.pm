package HA::Manager;

# The manager on its own, a round at a time.

use v5.26;
use warnings;
use HA ();

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

# granting: whether every lock can be had; commands: lines of the queue. Gives what would have happened, as hashes.
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
